"""Browser sessions: begin with an authentication, found by the cookie's digest, ended by many things."""

import secrets
from datetime import timedelta

from sqlalchemy import delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import contains_eager

from idp import clock
from idp.accounts.account import Account, AccountStatus
from idp.extensions import affected, db, settings
from idp.security import tokens
from idp.sessions.models import Authentication, BrowserSession, ClientSession

_TOUCH_EVERY = timedelta(minutes=1)


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


def find(token: str | None) -> BrowserSession | None:
    """The living session of a cookie, with its account and authentication: one statement.

    Alive: not ended, not idle or expired, the account active and of the same epoch.
    """
    if not token:
        return None
    now = clock.now()
    return db.session.scalar(
        select(BrowserSession)
        .join(BrowserSession.account)
        .join(BrowserSession.authentication)
        .options(
            contains_eager(BrowserSession.account), contains_eager(BrowserSession.authentication)
        )
        .where(
            BrowserSession.token == tokens.digest(token),
            BrowserSession.ended_at.is_(None),
            BrowserSession.expires_at > now,
            BrowserSession.seen_at > now - settings.session_idle,
            BrowserSession.epoch == Account.epoch,
            Account.status == AccountStatus.ACTIVE,
        )
    )


def touch(session: BrowserSession) -> None:
    """Note that the session was used; written once a minute at most."""
    now = clock.now()
    if now - session.seen_at < _TOUCH_EVERY:
        return
    db.session.execute(
        update(BrowserSession).where(BrowserSession.id == session.id).values(seen_at=now)
    )


def end(token: str | None) -> None:
    """End the session of a cookie; nothing happens when there is none."""
    if token:
        db.session.execute(
            update(BrowserSession)
            .where(BrowserSession.token == tokens.digest(token), BrowserSession.ended_at.is_(None))
            .values(ended_at=clock.now())
        )


def client_sid(session: BrowserSession, client_id: int) -> str:
    """The `sid` under which one client (row id) knows this session: the same at every call."""
    known = select(ClientSession.sid).where(
        ClientSession.browser_session_id == session.id, ClientSession.client_id == client_id
    )
    sid = db.session.scalar(known)
    if sid is None:
        insert = postgresql_insert if db.engine.dialect.name == "postgresql" else sqlite_insert
        values = {
            "sid": secrets.token_urlsafe(24),
            "browser_session_id": session.id,
            "client_id": client_id,
            "created_at": clock.now(),
        }
        db.session.execute(insert(ClientSession).values(values).on_conflict_do_nothing())
        sid = db.session.scalars(known).one()
    return sid


def purge(limit: int) -> int:
    """Delete up to `limit` sessions that are over, with their `sid`s; how many went."""
    over = (
        select(BrowserSession.id)
        .where(or_(BrowserSession.expires_at < clock.now(), BrowserSession.ended_at.is_not(None)))
        .limit(limit)
    )
    return affected(delete(BrowserSession).where(BrowserSession.id.in_(over)))
