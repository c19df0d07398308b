"""Answers to a relying party through the browser, each with `state` and `iss` (RFC 9207).

They travel in the query of a redirect, or in a form that submits itself (OAuth 2.0 Form Post Response Mode).
"""

from authlib.common.urls import add_params_to_uri
from authlib.oauth2 import OAuth2Error
from flask import redirect
from werkzeug.wrappers import Response

from idp.audit import events
from idp.extensions import settings, transaction
from idp.grants import codes, consents
from idp.grants.codes import NewCode
from idp.oidc import refusals
from idp.oidc.request import AuthorizationRequest, Trusted
from idp.sessions import browser
from idp.sessions.browser import LiveSession
from idp.web import headers, locale
from idp.web.responses import page


def grant(
    request: AuthorizationRequest, session: LiveSession, scopes: frozenset[str]
) -> Response | None:
    """A fresh code for what the person agreed to, which descends from the session's authentication. None: the
    session ended meanwhile, or the consent was withdrawn."""
    client = request.client
    with transaction():
        if not browser.touch(session):
            return None
        if not (client.first_party or consents.use(session.account_id, client.id, scopes)):
            return None
        new = NewCode(
            client_id=client.id,
            redirect_uri=request.redirect_uri,
            scope=" ".join(scope for scope in request.scope.split() if scope in scopes),
            sid=browser.client_sid(session, client.id),
            nonce=request.nonce,
            code_challenge=request.code_challenge,
            claims=request.claims or None,
            resources=[*request.resources] or None,
            jkt=request.dpop_jkt,
        )
        code = codes.issue(session, new)
        _note(session, client.client_id)
    return _back(request.trusted, [("code", code)])


def _note(session: LiveSession, client_id: str) -> None:
    if events.due(f"answer:{session.id}:{client_id}"):
        events.code_issued(client_id=client_id, sub=session.sub)


def refuse(trusted: Trusted, error: OAuth2Error) -> Response:
    """An error, in constant words."""
    refusals.of_browser(trusted.client.client_id, error)
    return _back(trusted, [("error", error.error), ("error_description", error.description)])


def _back(trusted: Trusted, parameters: list[tuple[str, str]]) -> Response:
    state = [("state", trusted.state)] if trusted.state is not None else []
    answer = [*parameters, *state, ("iss", settings.issuer)]
    if trusted.response_mode == "form_post":
        headers.allow_forms_to([trusted.redirect_uri])
        client = trusted.client.in_language(locale.select())
        return page("form-post.html", client=client, to=trusted.redirect_uri, fields=answer)
    return redirect(add_params_to_uri(trusted.redirect_uri, answer), 303)
