"""RP-initiated logout (OpenID Connect RP-Initiated Logout 1.0).

A hint that names the current session ends it at once; anything else asks the user first, and so does an address
where nobody can be sent. Nobody is ever redirected to an address that is not registered by the client that the
request proves or names.
"""

from dataclasses import dataclass
from urllib.parse import urlencode

from authlib.common.urls import add_params_to_uri
from flask import Blueprint, redirect, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from idp.audit import events
from idp.clients import registry, subjects
from idp.clients.registry import RegisteredClient
from idp.errors import PageError
from idp.extensions import transaction
from idp.oidc import hints
from idp.oidc.hints import Hint
from idp.sessions import browser
from idp.sessions.browser import LiveSession
from idp.web import cookies, headers, locale
from idp.web.responses import page

blueprint = Blueprint("logout", __name__)

_FIELDS = ("id_token_hint", "client_id", "post_logout_redirect_uri", "state", "ui_locales")


@dataclass(frozen=True)
class _Asked:
    """What a logout request asks, as far as it can be believed."""

    hint: Hint | None
    client: RegisteredClient | None
    target: str | None
    astray: bool = False
    """It names an address where it cannot lead."""


@blueprint.get("/logout")
def end_session() -> Response:
    """End the session, ask first, or say that there is none."""
    asked = _read(request.args)
    session = browser.find(cookies.session_token())
    if asked.hint:
        with transaction():
            browser.end_idle(asked.hint.sid)
    if session is None:
        return _gone(asked if asked.hint else _Asked(None, None, None))
    if (
        not asked.astray
        and asked.hint
        and asked.client
        and _names(asked.hint, asked.client, session)
    ):
        return _end(asked, session)
    headers.allow_forms_to([asked.target] if asked.target else [])
    fields = {name: request.args[name] for name in _FIELDS if name in request.args}
    client = asked.client and asked.client.in_language(locale.select())
    return page("logout.html", client=client, astray=asked.astray, fields=fields)


@blueprint.post("/logout")
def end_session_by_post() -> Response:
    """Come back by GET: our cookies do not travel on a cross-site POST."""
    _check_single(request.form)
    fields = {name: request.form[name] for name in _FIELDS if name in request.form}
    return redirect(f"{url_for('logout.end_session')}?{urlencode(fields)}", 303)


@blueprint.post("/logout/confirm")
def confirm() -> Response:
    """The user said yes, on our own page."""
    asked = _read(request.form)
    session = browser.find(cookies.session_token())
    return _end(asked, session) if session else _gone(asked)


@blueprint.get("/logout/done")
def done() -> Response:
    """Signed out, and nowhere to go back to."""
    return page("logout-done.html")


def _read(parameters: MultiDict[str, str]) -> _Asked:
    _check_single(parameters)
    token = parameters.get("id_token_hint")
    hint = hints.read(token) if token else None
    named = parameters.get("client_id")
    if hint and named and hint.client_id != named:
        raise PageError("Ce lien de déconnexion se contredit. Revenez au service et réessayez.")
    client_id = hint.client_id if hint else (named if not token else None)
    client = registry.find(client_id) if client_id else None
    target = _target(client, parameters)
    astray = target is None and bool(parameters.get("post_logout_redirect_uri"))
    return _Asked(hint, client, target, astray)


def _check_single(parameters: MultiDict[str, str]) -> None:
    if any(len(parameters.getlist(name)) > 1 for name in _FIELDS):
        raise PageError("Ce lien de déconnexion est mal formé. Revenez au service et réessayez.")


def _target(client: RegisteredClient | None, parameters: MultiDict[str, str]) -> str | None:
    uri = parameters.get("post_logout_redirect_uri")
    if client is None or uri not in client.post_logout_redirect_uris:
        return None
    state = parameters.get("state")
    return str(add_params_to_uri(uri, [("state", state)])) if state else uri


def _names(hint: Hint, client: RegisteredClient, session: LiveSession) -> bool:
    same = hint.sub == subjects.subject(session.sub, client)
    return same and browser.knows(session, hint.sid)


def _end(asked: _Asked, session: LiveSession) -> Response:
    with transaction():
        browser.end(cookies.session_token())
        events.session_ended(sub=session.sub)
    return _gone(asked)


def _gone(asked: _Asked) -> Response:
    answer = redirect(asked.target or url_for("logout.done"), 303)
    cookies.clear_session(answer)
    return answer
