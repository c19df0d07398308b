"""Telling relying parties that a session is over (OIDC Back-Channel Logout 1.0)."""

import secrets
import time
from typing import Any

import structlog
from authlib.oauth2 import OAuth2Error

from idp import clock
from idp.clients import addresses, keys, registry, subjects
from idp.clients.registry import RegisteredClient
from idp.extensions import release, settings, transaction
from idp.oidc import jwts
from idp.security.outgoing import Service, SilentError
from idp.sessions import logout_notices
from idp.sessions.logout_notices import Leased

EVENT = "http://schemas.openid.net/event/backchannel-logout"
_LIFE = 120
"""Seconds; a token is made anew for each attempt."""
_SILENCE = 30.0
"""Seconds for which a client that did not answer is not asked again, whatever waits for it."""

_log = structlog.get_logger("seuil.logout")
_service = Service(at_once=4, largest=4096)
_silent: dict[int, float] = {}
"""Row id of a client to when (`time.monotonic`) it may be asked again; of this process."""


def tell_next() -> bool | None:
    """Tell of the notice that is due, if there is one: None when none is, False when it was not taken.

    Must not run inside a transaction: RuntimeError.
    """
    now = time.monotonic()
    leased = logout_notices.lease(frozenset(row for row, until in _silent.items() if until > now))
    if leased is None:
        return None
    client = registry.by_row_id(leased.client_id)
    # Beforehand: not even a bug of ours makes one client keep the others waiting.
    _silent[leased.client_id] = now + _SILENCE
    if client is None or not client.backchannel_logout_uri or _told(client, leased):
        del _silent[leased.client_id]
        with transaction():
            logout_notices.finish(leased)
        return True
    _silent[leased.client_id] = time.monotonic() + _SILENCE
    with transaction():
        logout_notices.postpone(leased)
    return False


def logout_token(client: RegisteredClient, sid: str, sub: str) -> str:
    """As section 2.4 wants it: never to be taken for an ID token. Raises OAuth2Error."""
    now = int(clock.now().timestamp())
    claims: dict[str, Any] = {
        "iss": settings.issuer,
        "aud": client.client_id,
        "iat": now,
        "exp": now + _LIFE,
        "jti": secrets.token_urlsafe(16),
        "sub": subjects.subject(sub, client),
        "sid": sid,
        "events": {EVENT: {}},
    }
    signed = jwts.sign(claims, client.id_token_signed_response_alg, "logout+jwt")
    return jwts.encrypt_as_id_token(signed, client)


def _told(client: RegisteredClient, leased: Leased) -> bool:
    if client.id_token_encrypted_response_alg:
        keys.load(client, None)
    try:
        token = logout_token(client, leased.sid, leased.sub)
        release()
        form = {"logout_token": token}
        answer = addresses.ask(_service, "POST", client.backchannel_logout_uri, form)
        why = "" if answer.status in {200, 204} else f"status {answer.status}"
    except (SilentError, OAuth2Error) as error:
        why = str(error)
    if why:
        _log.warning("logout_not_taken", client_id=client.client_id, why=why[:200])
    return not why
