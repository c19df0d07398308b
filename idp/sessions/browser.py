"""Browser sessions: begin with an authentication, found by the cookie's digest, ended by many things."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import cast

from sqlalchemy import Table, bindparam, delete, select, update
from sqlalchemy.sql.dml import ReturningInsert

from idp import clock
from idp.accounts.account import Account, AccountStatus
from idp.challenges.challenge import Channel
from idp.extensions import affected, db, settings, upsert
from idp.security import tokens
from idp.sessions import logout_notices
from idp.sessions.models import Authentication, BrowserSession, ClientSession


def begin(authentication: Authentication) -> str:
    """Open a session under a new random name; the value of its cookie."""
    token = tokens.new_token()
    db.session.add(
        BrowserSession(
            token=tokens.digest(token),
            authentication_id=authentication.id,
            account_id=authentication.account_id,
            epoch=authentication.epoch,
            expires_at=clock.now() + settings.session_lifetime,
        )
    )
    return token


@dataclass(frozen=True)
class LiveSession:
    """A living session as it was read: who, since when, by which authentication, by which channel."""

    id: int
    authentication_id: int
    account_id: int
    epoch: int
    sub: str
    authenticated_at: datetime
    channel: Channel
    seen_at: datetime
    terms_version: str | None


_READ = (
    *(BrowserSession.id, BrowserSession.authentication_id, BrowserSession.account_id),
    *(BrowserSession.epoch, Account.sub),
    *(Authentication.authenticated_at, Authentication.channel, BrowserSession.seen_at),
    Account.terms_version,
)


_ALIVE = (
    select(*_READ)
    .join(Account, Account.id == BrowserSession.account_id)
    .join(Authentication, Authentication.id == BrowserSession.authentication_id)
    .where(
        BrowserSession.token == bindparam("token"),
        BrowserSession.ended_at.is_(None),
        BrowserSession.expires_at > bindparam("now"),
        BrowserSession.seen_at > bindparam("idle_since"),
        BrowserSession.epoch == Account.epoch,
        Account.status == AccountStatus.ACTIVE,
    )
)
"""Like all statements of hot requests it is put together once: that costs more than running it."""


def find(token: str | None) -> LiveSession | None:
    """The living session of a cookie: one statement.

    Alive: not ended, not idle or expired, the account active and of the same epoch.
    """
    if not token:
        return None
    now = clock.now()
    asked = {"token": tokens.digest(token), "now": now, "idle_since": now - settings.session_idle}
    row = db.session.execute(_ALIVE, asked).first()
    return LiveSession(*row) if row else None


_SESSIONS = cast("Table", BrowserSession.__table__)
_TOUCHED = (
    update(_SESSIONS)
    .where(_SESSIONS.c.id == bindparam("session"), _SESSIONS.c.ended_at.is_(None))
    .values(seen_at=bindparam("now"))
)


def touch(session: LiveSession) -> bool:
    """Note that the session is used; False when it ended since it was read. Whoever ends it now waits."""
    return bool(affected(_TOUCHED, session=session.id, now=clock.now()))


def end(token: str | None) -> None:
    """End the session of a cookie, and let its clients be told; nothing happens when there is none."""
    if token:
        mine = BrowserSession.token == tokens.digest(token)
        logout_notices.leave(mine)
        db.session.execute(
            update(BrowserSession)
            .where(mine, BrowserSession.ended_at.is_(None))
            .values(ended_at=clock.now(), expires_at=clock.now())
        )


def end_idle(sid: str) -> None:
    """End the session that a client knows by this name, if nobody used it for too long: until then its clients
    were told of no end."""
    known = select(ClientSession.browser_session_id).where(ClientSession.sid == sid)
    idle = (
        BrowserSession.id.in_(known),
        BrowserSession.ended_at.is_(None),
        BrowserSession.seen_at <= clock.now() - settings.session_idle,
    )
    logout_notices.leave(*idle)
    db.session.execute(update(BrowserSession).where(*idle).values(ended_at=clock.now()))


def client_sid(session: LiveSession, client_id: int) -> str:
    """The `sid` under which one client (row id) knows this session: the same at every call."""
    fresh = {
        "sid": secrets.token_urlsafe(24),
        "browser_session_id": session.id,
        "client_id": client_id,
        "created_at": clock.now(),
    }
    return db.session.scalars(_named(db.engine.dialect.name), fresh).one()


@cache
def _named(_engine: str) -> ReturningInsert[str]:
    table = cast("Table", ClientSession.__table__)
    key = [table.c.browser_session_id, table.c.client_id]
    names = ("sid", "browser_session_id", "client_id", "created_at")
    statement = upsert(table).values({name: bindparam(name) for name in names})
    return statement.on_conflict_do_update(
        index_elements=key, set_={"client_id": table.c.client_id}
    ).returning(table.c.sid)


def forget_client(account_id: int, client_id: int) -> None:
    """One client (row id) is to know none of the account's sessions any more, and is told so. Runs in the
    caller's transaction."""
    theirs = (BrowserSession.account_id == account_id, ClientSession.client_id == client_id)
    logout_notices.leave(*theirs)
    sids = select(ClientSession.sid).join(
        BrowserSession, BrowserSession.id == ClientSession.browser_session_id
    )
    db.session.execute(delete(ClientSession).where(ClientSession.sid.in_(sids.where(*theirs))))


def knows(session: LiveSession, sid: str) -> bool:
    """True when `sid` names this session at some client."""
    known = select(ClientSession.sid).where(
        ClientSession.browser_session_id == session.id, ClientSession.sid == sid
    )
    return db.session.scalar(known) is not None


def purge(limit: int) -> int:
    """Delete up to `limit` sessions that are over, with their `sid`s; how many went."""
    over = select(BrowserSession.id).where(BrowserSession.expires_at <= clock.now()).limit(limit)
    return affected(delete(BrowserSession).where(BrowserSession.id.in_(over)))
