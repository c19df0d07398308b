"""Requests of registered applications that were refused, with the reason: `idp clients test` reads them.

Anybody can send a request in an application's name, so few are written down: what costs a stranger nothing
must not fill a table.
"""

import re
import time
from datetime import timedelta

from authlib.oauth2 import OAuth2Error
from werkzeug.wrappers import Response

from idp.audit import events
from idp.clients import registry
from idp.extensions import transaction
from idp.security import throttle
from idp.security.throttle import Budget

NOT_REGISTERED = (
    "The redirect_uri is missing, or is not one that is registered, character by character."
)
_ANSWERS = {
    *("login_required", "consent_required", "interaction_required", "account_selection_required"),
    *("access_denied", "unmet_authentication_requirements", "temporarily_unavailable"),
    "use_dpop_nonce",
}
"""Errors that say what people did, or what comes next: nothing is wrong with the application."""
_MOST, _PER = 5, timedelta(minutes=10)
_SILENCE, _KINDS = 60.0, 1000
"""Seconds for which this process says no more of one kind; of so many kinds it knows when it did."""
_TEXT = re.compile(r"[\x20-\x7e]{0,200}")

_said: dict[tuple[str, str, str], float] = {}


def of_browser(client_id: str, error: OAuth2Error | None) -> None:
    """At the authorization endpoint: an error that went to the application, or (None) none could.

    Must not run inside a transaction.
    """
    kind = error.error if error else "invalid_request"
    why = str(error.description) if error else NOT_REGISTERED
    if kind not in _ANSWERS and _due(client_id, kind, why):
        with transaction():
            _write(client_id, "authorize", kind, why)


def of_application(client_id: str, where: str, answer: Response, method: str) -> None:
    """At an endpoint that the application itself asks, where it would authenticate by `method`; in the
    transaction of the answer."""
    said: dict[str, object] = (
        answer.get_json(silent=True) or {} if answer.status_code >= 400 else {}
    )
    kind = str(said.get("error", ""))
    if not kind or kind in _ANSWERS:
        return
    why: str | None = str(said.get("error_description", ""))
    if kind == "invalid_client":
        why = _of_authentication(client_id, method, str(why))
    if why is not None and _due(client_id, kind, why):
        _write(client_id, where, kind, why)


def _of_authentication(client_id: str, method: str, why: str) -> str | None:
    """What is wrong with the method, which strangers are not told; None: a secret, which is told already."""
    client = registry.find(client_id)
    if client and client.token_endpoint_auth_method != method:
        return f"It is registered with {client.token_endpoint_auth_method}, and came with {method}."
    return None if client and client.has_secret else why


def _due(client_id: str, kind: str, why: str) -> bool:
    """Whether it is a registered client's, and this process has not said the same a moment ago."""
    if registry.find(client_id) is None or not _TEXT.fullmatch(why):
        return False
    now, what = time.monotonic(), (client_id, kind, why)
    if now - _said.get(what, -_SILENCE) < _SILENCE:
        return False
    if len(_said) >= _KINDS:
        _said.clear()
    _said[what] = now
    return True


def _write(client_id: str, where: str, kind: str, why: str) -> None:
    if not throttle.reserve(Budget(f"audit:refused:{client_id}", _MOST, _PER)):
        events.request_refused(client_id=client_id, where=where, error=kind, why=why)
