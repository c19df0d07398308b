"""Authorization codes (RFC 6749 4.1): issued to a session, redeemed once, revoked with all they gave."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from sqlalchemy import Table, bindparam, delete, exists, insert, select, update
from sqlalchemy.orm import contains_eager

from idp import clock
from idp.extensions import affected, db, settings
from idp.grants.models import AuthorizationCode
from idp.security import tokens
from idp.sessions.browser import LiveSession
from idp.sessions.models import BrowserSession, ClientSession


@dataclass(frozen=True)
class NewCode:
    """What the authorization request fixes. `client_id` is the row id; `scope` is space-separated; `claims` are
    single ones, by place; `resources` and `jkt` as in `models`."""

    client_id: int
    redirect_uri: str
    scope: str
    sid: str
    nonce: str | None
    code_challenge: str | None
    claims: dict[str, Any] | None = None
    resources: list[str] | None = None
    jkt: str | None = None


_KEPT = timedelta(days=1)
"""After its time, or that of what was given for it: who brings it again is told from who brings nothing."""
_CODES = cast("Table", AuthorizationCode.__table__)
_FRESH = insert(cast("Table", AuthorizationCode.__table__))


def issue(session: LiveSession, new: NewCode) -> str:
    """Insert a code that descends from the session's authentication; its value, which is not kept."""
    value = tokens.new_token()
    now = clock.now()
    row = {
        "digest": tokens.digest(value),
        "authentication_id": session.authentication_id,
        "account_id": session.account_id,
        "epoch": session.epoch,
        "expires_at": now + settings.authorization_code_lifetime,
        "keep_until": now + settings.authorization_code_lifetime + _KEPT,
        **vars(new),
    }
    db.session.execute(_FRESH, row)
    return value


_ISSUED = (
    select(AuthorizationCode)
    .join(AuthorizationCode.account)
    .join(AuthorizationCode.authentication)
    .options(
        contains_eager(AuthorizationCode.account),
        contains_eager(AuthorizationCode.authentication),
    )
    .where(
        AuthorizationCode.digest == bindparam("digest"),
        AuthorizationCode.client_id == bindparam("client"),
    )
)


def find(value: str, client_id: int) -> AuthorizationCode | None:
    """The code as issued to this client (row id), used or not, with account and authentication."""
    return db.session.scalar(_ISSUED, {"digest": tokens.digest(value), "client": client_id})


_CLAIMED = (
    update(_CODES)
    .where(
        _CODES.c.id == bindparam("code"),
        _CODES.c.used_at.is_(None),
        _CODES.c.revoked_at.is_(None),
        _CODES.c.expires_at > bindparam("now"),
        # Whoever signs out, or takes back what a client may, does it for codes that are under way too.
        exists()
        .where(ClientSession.sid == _CODES.c.sid)
        .where(BrowserSession.id == ClientSession.browser_session_id)
        .where(BrowserSession.ended_at.is_(None)),
    )
    .values(used_at=bindparam("now"), keep_until=bindparam("keep"))
)


def claim(code: AuthorizationCode) -> bool:
    """Redeem the code, once in all: False when it was used, revoked, too old, or its session is over."""
    if not code.account.active or code.account.epoch != code.epoch:
        return False
    offline = "offline_access" in code.scope.split()
    lives = settings.refresh_token_lifetime if offline else settings.access_token_lifetime
    now = clock.now()
    return bool(affected(_CLAIMED, code=code.id, now=now, keep=now + lives + _KEPT))


def revoke(code_id: int) -> None:
    """Kill the code and every token that hangs on it, also those not yet inserted."""
    db.session.execute(
        update(AuthorizationCode)
        .where(AuthorizationCode.id == code_id, AuthorizationCode.revoked_at.is_(None))
        .values(revoked_at=clock.now())
    )


def revoke_all(account_id: int, client_id: int) -> bool:
    """Kill all that a client (row id) holds for an account; False when that is nothing. Runs in the caller's
    transaction."""
    theirs = (AuthorizationCode.account_id == account_id, AuthorizationCode.client_id == client_id)
    ended = update(AuthorizationCode).where(*theirs, AuthorizationCode.revoked_at.is_(None))
    return bool(affected(ended.values(revoked_at=clock.now())))


def revoke_client(client_id: int) -> None:
    """Kill all that a client (row id) holds, of whomever. Runs in the caller's transaction."""
    theirs = (AuthorizationCode.client_id == client_id, AuthorizationCode.revoked_at.is_(None))
    db.session.execute(update(AuthorizationCode).where(*theirs).values(revoked_at=clock.now()))


def purge(limit: int) -> int:
    """Delete up to `limit` codes that no living token can hang on; how many went."""
    old = select(AuthorizationCode.id).where(AuthorizationCode.keep_until < clock.now())
    return affected(delete(AuthorizationCode).where(AuthorizationCode.id.in_(old.limit(limit))))
