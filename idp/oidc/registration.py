"""Applications that register themselves and look after what they registered (RFC 7591, RFC 7592).

No script of another site reads any of it (`oidc.cors`): a page could have all its visitors register.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask import Blueprint, jsonify, request, url_for
from werkzeug.wrappers import Response

from idp.audit import events
from idp.clients import manage, registration_tokens, registry, sectors, strangers
from idp.clients.client import Client
from idp.clients.registration import Registration, as_json
from idp.clients.registration_tokens import Usable
from idp.clients.rules import InvalidRegistrationError
from idp.extensions import settings, transaction
from idp.flow import interaction as interactions
from idp.grants import codes, consents
from idp.security import networks, strict_json, throttle
from idp.security.throttle import Budget
from idp.web.network import network

blueprint = Blueprint("registration", __name__)

_DAY = timedelta(days=1)
_LONGEST = 32_000
"""Bytes of metadata, keys included: every process holds them."""
_OURS = {
    *("registration_access_token", "registration_client_uri"),
    *("client_secret_expires_at", "client_id_issued_at"),
}
"""What a client may not send back (RFC 7592 2.2)."""


_ANOTHER = {
    *("client_name", "redirect_uris", "application_type", "subject_type"),
    *("sector_identifier_uri", "logo_uri", "policy_uri", "tos_uri", "client_uri"),
}
"""What makes it another application: nobody has agreed to that, and what it holds is not of its people."""


class RefusedError(Exception):
    """An answer that is an error; `text` is constant."""

    def __init__(self, error: str, text: str, status: int = 400, **headers: str) -> None:
        super().__init__(text)
        self.error, self.text, self.status, self.headers = error, text, status, headers


_OFF = RefusedError(
    "invalid_request",
    "Applications do not register themselves here: ask the operator of this provider.",
    404,
)


@blueprint.post("/register")
def register() -> Response:
    """RFC 7591 3."""
    return _answered(_register)


@blueprint.get("/register/<client_id>")
def read(client_id: str) -> Response:
    """RFC 7592 2.1."""
    return _answered(lambda: jsonify(_information(_own(client_id), _bearer())))


@blueprint.put("/register/<client_id>")
def replace(client_id: str) -> Response:
    """RFC 7592 2.2: what is not sent is what it is by default."""
    return _answered(lambda: _replace(client_id))


@blueprint.delete("/register/<client_id>")
def forget(client_id: str) -> Response:
    """RFC 7592 2.3."""
    return _answered(lambda: _forget(client_id))


def _answered(act: Callable[[], Response]) -> Response:
    try:
        answer = act() if settings.registration != "off" else _refused(_OFF)
    except InvalidRegistrationError as error:
        kind = "redirect_uri" if error.field == "redirect_uris" else "client_metadata"
        field = error.field.partition("#")[0]
        answer = _refused(RefusedError(f"invalid_{kind}", f"{field} {error.message}"))
    except RefusedError as error:
        answer = _refused(error)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _refused(error: RefusedError) -> Response:
    answer = jsonify(error=error.error, error_description=error.text)
    answer.status_code = error.status
    answer.headers.update(error.headers)
    return answer


def _register() -> Response:
    token = _initial_token()
    lax = token is not None and not token.require_pkce and "no-pkce" in settings.weaker_clients
    new = strangers.read(_sent(), require_pkce=not lax)
    if token is None:
        most, day = settings.registrations_per_day, _DAY
        # One line, however many networks it has, leaves room for others.
        line = Budget(f"registrations:line:{networks.site(network())}", max(1, most // 4), day)
        _admit("registrations", line, Budget("registrations", most, day))
    elif new.sector_identifier_uri:
        # A token is used up by what succeeds only: it must not make us ask for ever.
        _admit("registrations")
    sectors.check(new)
    with transaction():
        if token and not registration_tokens.use(token.number):
            raise _unauthorized()
        made = strangers.register(new, vouched=token is not None)
        actor = f"registration-token:{token.number}" if token else events.STRANGER
        events.client_created(client_id=made.client.client_id, actor=actor)
        answer = jsonify(_information(made.client, made.token, made.secret))
    answer.status_code = 201
    return answer


def _replace(client_id: str) -> Response:
    sent = _sent()
    old = _own(client_id).registration
    _check_own_words(client_id, sent)
    new = strangers.read(sent, client_id, old)
    most = Budget(f"registration-changes:{client_id}", settings.registrations_per_day, _DAY)
    _admit("registration-changes", most)
    sectors.check(new)
    with transaction():
        client = _own(client_id)
        old = manage.to_change(client_id).registration
        # Again: what is the operator's stays as it is now, however long the look at the sector took.
        new = strangers.read(sent, client_id, old)
        manage.rewrite(client_id, new)
        _tell_change(client, old)
        return jsonify(_information(client, _bearer()))


def _tell_change(client: Client, old: Registration) -> None:
    """Write it down. Nobody agreed to another application, nor may agree on a page that showed this one."""
    before, after = as_json(old), as_json(client.registration)
    fields = [name for name in {**before, **after} if after.get(name) != before.get(name)]
    if _ANOTHER & {name.partition("#")[0] for name in fields}:
        interactions.forget_client(client.id)
        consents.forget_client(client.id)
        codes.revoke_client(client.id)
    if fields:
        events.client_updated(client_id=client.client_id, fields=fields, actor=events.STRANGER)


def _forget(client_id: str) -> Response:
    with transaction():
        # First, as whoever relies on one has it before the client's row.
        # In the order of whoever relies on one, who has it before the client's row.
        consents.forget_client(_own(client_id).id)
        manage.remove(client_id)
        events.client_deleted(client_id=client_id, actor=events.STRANGER)
    return Response(status=204)


def _initial_token() -> Usable | None:
    """The token that was sent; None where none is needed. Raises RefusedError."""
    sent = _bearer()
    if not sent and settings.registration == "open":
        return None
    token = registration_tokens.find(sent)
    if token is None:
        raise _unauthorized()
    return token


def _own(client_id: str) -> Client:
    """The client whose registration access token was sent. Raises RefusedError, whatever else is wrong."""
    client = strangers.managed(client_id, _bearer())
    if client is None:
        raise _unauthorized()
    return client


def _bearer() -> str:
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    return value.strip() if kind.lower() == "bearer" else ""


def _unauthorized() -> RefusedError:
    challenge = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
    text = "A registration token that works here must be sent as a bearer token."
    return RefusedError("invalid_token", text, 401, **challenge)


def _admit(what: str, *more: Budget) -> None:
    """Count one more from this network. Raises RefusedError when there were too many."""
    own = Budget(f"{what}:{network()}", settings.registrations_per_network, timedelta(hours=1))
    with transaction():
        wait = throttle.reserve(own, *more)
    if wait:
        text, seconds = "Too many registrations: try again later.", int(wait.total_seconds()) + 1
        raise RefusedError("temporarily_unavailable", text, 429, **{"Retry-After": str(seconds)})


def _sent() -> dict[str, Any]:
    """The JSON object that was sent, each member once. Raises RefusedError."""
    if request.mimetype != "application/json":
        raise RefusedError("invalid_client_metadata", "Send the metadata as application/json.")
    body = request.get_data()
    if len(body) > _LONGEST:
        raise RefusedError("invalid_client_metadata", "The metadata are too long.", 413)
    try:
        sent = strict_json.loads(body, once=True)
    except ValueError:
        sent = None
    if not isinstance(sent, dict):
        raise RefusedError("invalid_client_metadata", "The body must be one JSON object.")
    if "software_statement" in sent:
        text = "Software statements are not accepted: send the metadata themselves."
        raise RefusedError("unapproved_software_statement", text)
    return sent


def _check_own_words(client_id: str, sent: dict[str, Any]) -> None:
    """RFC 7592 2.2: its own name, the secret that it has, and nothing of what we told it."""
    if sent.get("client_id") != client_id:
        raise InvalidRegistrationError("client_id", "must be that of the client")
    if names := sorted(sent.keys() & _OURS):
        raise InvalidRegistrationError(names[0], "cannot be sent back")
    client, secret = registry.find(client_id), sent.get("client_secret")
    if secret is None:
        return
    if client is None or not isinstance(secret, str) or not client.secret_matches(secret):
        raise InvalidRegistrationError("client_secret", "is not the one of the client")


def _information(client: Client, token: str, secret: str | None = None) -> dict[str, Any]:
    """RFC 7591 3.2.1. A secret is told once: it is not kept."""
    known: Registration = client.registration
    said = {
        name: value
        for name, value in as_json(known).items()
        if name not in strangers.FIXED and value not in (None, "", [], {})
    }
    where = url_for("registration.read", client_id=client.client_id)
    return {
        **said,
        "response_types": ["code"],
        "client_id": client.client_id,
        "client_id_issued_at": int(client.created_at.timestamp()),
        **({"client_secret": secret, "client_secret_expires_at": 0} if secret else {}),
        "registration_access_token": token,
        "registration_client_uri": settings.issuer + where,
    }
