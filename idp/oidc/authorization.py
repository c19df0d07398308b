"""The authorization endpoint: answer at once, or store the request and let the user sign in."""

from authlib.oauth2 import OAuth2Error
from authlib.oidc.core.errors import LoginRequiredError
from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from idp import clock
from idp.accounts.addresses import parse_email
from idp.clients import registry
from idp.errors import PageError
from idp.extensions import transaction
from idp.flow import interaction as interactions
from idp.flow.interaction import Interaction, forget_sign_in
from idp.flow.requirements import Present, Unmet, unmet
from idp.oidc import answers
from idp.oidc.request import AuthorizationRequest, check, trust
from idp.sessions import browser
from idp.sessions.browser import LiveSession
from idp.web import cookies, locale
from idp.web.guard import own_interaction
from idp.web.network import network

blueprint = Blueprint("authorization", __name__)


@blueprint.get("/authorize")
def authorize() -> Response:
    """OIDC Core 3.1.2.1: with a session that does, the code goes back at once."""
    trusted = trust(request.args)
    try:
        checked = check(trusted, request.args)
        session = browser.find(cookies.session_token())
        missing = _missing(checked, session, here=False)
        if session and missing is None and (answer := answers.grant(checked, session)):
            return answer
        _refuse_silence(checked)
    except OAuth2Error as error:
        return answers.refuse(trusted, error)
    interaction_id = _store(checked, cookies.browser_digest())
    return redirect(url_for("pages.dispatch", interaction_id=interaction_id), 303)


@blueprint.post("/authorize")
def authorize_by_post() -> Response:
    """Store the request and come back by GET: our cookies do not travel on a cross-site POST."""
    trusted = trust(request.form)
    try:
        checked = check(trusted, request.form)
    except OAuth2Error as error:
        return answers.refuse(trusted, error)
    interaction_id = _store(checked, interactions.UNBOUND)
    return redirect(url_for("authorization.resume", interaction_id=interaction_id, bind=1), 303)


@blueprint.get("/authorize/<token:interaction_id>")
def resume(interaction_id: str) -> Response:
    """Answer a stored request if the browser's session does by now."""
    if "bind" in request.args:
        with transaction():
            interactions.bind(interaction_id, cookies.browser_digest())
    interaction = own_interaction(interaction_id)
    if interaction.client_id is None:
        return redirect(url_for("pages.account"), 303)
    checked = _stored(interaction)
    session = browser.find(cookies.session_token())
    here = session is not None and session.authentication_id == interaction.authentication_id
    missing = _missing(checked, session, here=here)
    try:
        if session and missing is None and (answer := answers.grant(checked, session)):
            return answer
        _refuse_silence(checked)
        if here and missing is Unmet.OTHER_PERSON:
            raise LoginRequiredError("Another person signed in than the hint names.")
    except OAuth2Error as error:
        return answers.refuse(checked.trusted, error)
    if interaction.authentication_id is not None:
        _sign_in_again(interaction)
    return redirect(url_for("pages.dispatch", interaction_id=interaction_id), 303)


def _missing(
    checked: AuthorizationRequest, session: LiveSession | None, *, here: bool
) -> Unmet | None:
    present = Present(session.sub, session.authenticated_at, here) if session else None
    return unmet(checked.requirements, present, clock.now())


def _refuse_silence(checked: AuthorizationRequest) -> None:
    if "none" in checked.prompt:
        raise LoginRequiredError("The user has to sign in.")


def _store(checked: AuthorizationRequest, browser: str) -> str:
    """Keep the request for a browser; the interaction's id. Raises PageError when its network has too many."""
    hint = parse_email(checked.login_hint)
    with transaction():
        if interactions.admit(network()):
            interaction = interactions.open_interaction(
                checked.client.id,
                browser,
                checked.as_json(),
                locale=locale.choose(checked.ui_locales),
            )
            interaction.identifier = hint.address if hint else ""
            return interaction.id
    raise PageError(
        "Trop de connexions ont été commencées depuis votre réseau. Réessayez dans quelques minutes.",
        status=429,
    )


def _stored(interaction: Interaction) -> AuthorizationRequest:
    row = interaction.client_id
    client = registry.by_row_id(row) if row is not None else None
    if client is None or interaction.request["redirect_uri"] not in client.redirect_uris:
        raise PageError("Ce service n’est plus enregistré.", status=410)
    return AuthorizationRequest.from_json(client, interaction.request)


def _sign_in_again(interaction: Interaction) -> None:
    """The session that this interaction began is over: let the user sign in once more."""
    with transaction():
        forget_sign_in(interaction)
