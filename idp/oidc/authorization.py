"""The authorization endpoint: answer at once, or store the request and let the user sign in."""

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import AccessDeniedError, InvalidRequestError
from authlib.oidc.core.errors import (
    ConsentRequiredError,
    InteractionRequiredError,
    LoginRequiredError,
)
from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from idp import clock
from idp.clients import subjects
from idp.errors import PageError
from idp.extensions import transaction
from idp.flow import agreements
from idp.flow import interaction as interactions
from idp.flow.agreements import Standing
from idp.flow.interaction import Interaction, forget_sign_in, stand_on
from idp.flow.requirements import Present, Unmet, unmet
from idp.flow.steps import Step
from idp.oidc import answers, pushed, refusals, request_object, stored
from idp.oidc.request import (
    AuthorizationRequest,
    Parameters,
    Trusted,
    UnmetAuthenticationRequirementsError,
    check,
    trust,
)
from idp.sessions import browser
from idp.sessions.authentication import ACR
from idp.sessions.browser import LiveSession
from idp.web import cookies, locale
from idp.web.guard import own_interaction
from idp.web.network import network

blueprint = Blueprint("authorization", __name__)


@blueprint.get("/authorize")
def authorize() -> Response:
    """OIDC Core 3.1.2.1: with a session that does, the code goes back at once."""
    if pushed.is_reference(request.args):
        return _take_up(request.args)
    parameters, problem = _opened(request.args)
    trusted = _trusted(parameters)
    try:
        checked = _checked(trusted, parameters, problem)
        session = browser.find(cookies.session_token())
        does = session is not None and _missing(checked, session) is None
        if session and does and (answer := _answer(checked, session)):
            return answer
        _refuse_silence(checked, session)
    except OAuth2Error as error:
        return answers.refuse(trusted, error)
    interaction_id = _keep(checked, cookies.browser_digest())
    onward = "authorization.resume" if does else "pages.dispatch"
    return redirect(url_for(onward, interaction_id=interaction_id), 303)


@blueprint.post("/authorize")
def authorize_by_post() -> Response:
    """Store the request and come back by GET: our cookies do not travel on a cross-site POST."""
    if pushed.is_reference(request.form):
        return _take_up(request.form)
    parameters, problem = _opened(request.form)
    trusted = _trusted(parameters)
    try:
        checked = _checked(trusted, parameters, problem)
    except OAuth2Error as error:
        return answers.refuse(trusted, error)
    interaction_id = _keep(checked, interactions.UNBOUND)
    return redirect(url_for("authorization.resume", interaction_id=interaction_id, bind=1), 303)


@blueprint.get("/authorize/<token:interaction_id>")
def resume(interaction_id: str) -> Response:
    """Answer a stored request if the browser's session does by now."""
    if "bind" in request.args:
        _bind(interaction_id)
    interaction = own_interaction(interaction_id)
    if interaction.client_id is None:
        return redirect(url_for("pages.account"), 303)
    checked = stored.read(interaction)
    try:
        answer = _resumed(checked, interaction, browser.find(cookies.session_token()))
    except OAuth2Error as error:
        answer = answers.refuse(checked.trusted, error)
    return answer or redirect(url_for("pages.dispatch", interaction_id=interaction_id), 303)


def _resumed(
    checked: AuthorizationRequest, interaction: Interaction, session: LiveSession | None
) -> Response | None:
    """The answer. None: a page comes first, for which the interaction is prepared. Raises OAuth2Error."""
    here = interaction if session and _stands_on(interaction, session) else None
    if here and here.refused_at:
        raise AccessDeniedError("The person refused.")
    missing = _missing(checked, session, here)
    if session and missing is None and (answer := _answer(checked, session, here)):
        return answer
    _refuse_silence(checked, session, here)
    if here and missing is Unmet.OTHER_PERSON:
        raise LoginRequiredError("Another person signed in than the request names.")
    if here and missing is Unmet.OTHER_LEVEL:
        raise UnmetAuthenticationRequirementsError
    if session and missing is None:
        _stand_on(interaction, session)
    elif interaction.authentication_id is not None:
        _sign_in_again(interaction)
    return None


def _answer(
    checked: AuthorizationRequest, session: LiveSession, here: Interaction | None = None
) -> Response | None:
    """The code. None: something is to be agreed to first, or the session just ended. Raises OAuth2Error where
    that may not be asked (`prompt=none`)."""
    stands = _standing(checked, session, here)
    if stands.due is None:
        return answers.grant(checked, session, stands.scopes)
    if "none" in checked.prompt:
        _refuse_unagreed(stands)
    return None


def _standing(
    checked: AuthorizationRequest, session: LiveSession, here: Interaction | None
) -> Standing:
    answered = here is not None and here.consented_at is not None
    return agreements.standing(
        checked.wish, session.account_id, session.terms_version, answered=answered
    )


def _refuse_unagreed(stands: Standing) -> None:
    if stands.due is Step.CONSENT:
        raise ConsentRequiredError("The person has to agree first.")
    if stands.due is not None:
        raise InteractionRequiredError("The person has to accept the terms first.")


def _stands_on(interaction: Interaction, session: LiveSession) -> bool:
    return session.authentication_id == interaction.authentication_id


def _bind(interaction_id: str) -> None:
    """Who stored it may not be who brings it: the language is this browser's."""
    with transaction():
        digest = cookies.browser_digest()
        if interactions.bind(interaction_id, digest) and (
            bound := interactions.load(interaction_id, digest)
        ):
            bound.locale = locale.choose(bound.request["ui_locales"])


def _take_up(parameters: Parameters) -> Response:
    """A request that was pushed, in the browser that it was pushed for."""
    interaction_id = pushed.find(parameters)
    with transaction():
        interactions.admit(network())
    return redirect(url_for("authorization.resume", interaction_id=interaction_id, bind=1), 303)


def _trusted(parameters: Parameters) -> Trusted:
    """Raises PageError, and notes for its developer that a redirect URI is another than the registered one."""
    try:
        return trust(parameters)
    except PageError:
        refusals.of_browser(parameters.get("client_id", ""), None)
        raise


def _opened(sent: Parameters) -> tuple[Parameters, OAuth2Error | None]:
    request_object.load_keys(sent)
    return request_object.open_(sent)


def _checked(
    trusted: Trusted, parameters: Parameters, problem: OAuth2Error | None
) -> AuthorizationRequest:
    """The request that a browser brought whole. Raises OAuth2Error."""
    if problem:
        raise problem
    if trusted.client.require_pushed_authorization_requests:
        raise InvalidRequestError("This client must push its requests.")
    return check(trusted, parameters)


def _missing(
    checked: AuthorizationRequest, session: LiveSession | None, here: Interaction | None = None
) -> Unmet | None:
    """`here`: the interaction, if it stands on this session."""
    present = None
    if session:
        acr = ACR[session.channel]
        known = subjects.subject(session.sub, checked.client)
        left = (here.consented_at or here.terms_accepted_at) if here else None
        present = Present(known, session.authenticated_at, acr, here is not None, left)
    return unmet(checked.requirements, present, clock.now())


def _refuse_silence(
    checked: AuthorizationRequest, session: LiveSession | None, here: Interaction | None = None
) -> None:
    """Others learn nothing of a person who did not agree, also not by which of their wishes is met."""
    if "none" not in checked.prompt:
        return
    if session and not checked.client.first_party:
        _refuse_unagreed(_standing(checked, session, here))
    raise LoginRequiredError("The user has to sign in.")


def _keep(checked: AuthorizationRequest, browser: str) -> str:
    """The interaction's id. Raises PageError when the network has begun too many."""
    with transaction():
        interactions.admit(network())
        return stored.keep(checked, browser)


def _stand_on(interaction: Interaction, session: LiveSession) -> None:
    """Something is to be agreed to: whoever is signed in does that in this interaction."""
    if not _stands_on(interaction, session):
        with transaction():
            stand_on(interaction, session.authentication_id, session.account_id)


def _sign_in_again(interaction: Interaction) -> None:
    """The session that this interaction began is over: let the user sign in once more."""
    with transaction():
        forget_sign_in(interaction)
