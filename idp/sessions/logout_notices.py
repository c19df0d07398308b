"""What relying parties are still to be told: that a session which they know is over (OIDC Back-Channel Logout).

A notice is written with what ends the session, for each client that has an address for it. A worker takes
one after the other; a client that does not answer is left alone for a while and keeps nobody waiting.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, ForeignKey, String, delete, insert, literal, select, update
from sqlalchemy.orm import Mapped, mapped_column

from idp import clock
from idp.accounts import changes
from idp.accounts.account import Account
from idp.clients import registry
from idp.extensions import Base, RowId, affected, db, transaction
from idp.sessions.models import BrowserSession, ClientSession

_LEASE = timedelta(minutes=1)
"""Longer than a client and its keys may take (`client_timeout`); then another worker tells it again."""
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=5), timedelta(hours=1)
_KEPT = timedelta(days=1)
"""So long it is tried; by then most sessions of the client are over by themselves."""


class LogoutNotice(Base):
    """One session at one client, ended here and not told there yet."""

    __tablename__ = "logout_notice"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("client.id", ondelete="CASCADE"), index=True)
    sid: Mapped[str] = mapped_column(String(43))
    sub: Mapped[str] = mapped_column(String(43))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    due_at: Mapped[datetime] = mapped_column(index=True)
    attempts: Mapped[int] = mapped_column(default=0)
    expires_at: Mapped[datetime] = mapped_column(index=True)


@dataclass(frozen=True)
class Leased:
    """A notice that this worker may tell until `until`; `client_id` is the row id."""

    id: int
    client_id: int
    sid: str
    sub: str
    attempts: int
    until: datetime


def leave(*which: ColumnElement[bool]) -> None:
    """For the sessions that are about to end. Runs in the caller's transaction; no statement where no client
    wants to know."""
    wanting = registry.told_of_logouts()
    if not wanting:
        return
    now = clock.now()
    columns = ("client_id", "sid", "sub", "created_at", "due_at", "attempts", "expires_at")
    known = (
        select(
            *(ClientSession.client_id, ClientSession.sid, Account.sub),
            *(literal(now), literal(now), literal(0), literal(now + _KEPT)),
        )
        .join(BrowserSession, BrowserSession.id == ClientSession.browser_session_id)
        .join(Account, Account.id == BrowserSession.account_id)
        .where(ClientSession.client_id.in_(wanting), BrowserSession.ended_at.is_(None), *which)
        .where(BrowserSession.expires_at > now)
    )
    db.session.execute(insert(LogoutNotice).from_select(columns, known))


def _all_of(_sender: object, account_id: int) -> None:
    """The epoch rose. Sessions are marked, so that nothing that happens later tells of them again."""
    if registry.told_of_logouts():
        leave(BrowserSession.account_id == account_id)
        living = (BrowserSession.account_id == account_id, BrowserSession.ended_at.is_(None))
        db.session.execute(update(BrowserSession).where(*living).values(ended_at=clock.now()))


def _hold_all_of(_sender: object, account_id: int) -> None:
    """Whoever answers a client holds a session, and then needs the account: so they come in this order."""
    if registry.told_of_logouts():
        theirs = select(BrowserSession.id).where(BrowserSession.account_id == account_id)
        db.session.execute(theirs.order_by(BrowserSession.id).with_for_update())


changes.epoch_rises.connect(_hold_all_of)
changes.epoch_raised.connect(_all_of)


def lease(but: frozenset[int]) -> Leased | None:
    """The one that is due longest, of none of these clients (row ids); it is this worker's for a minute."""
    now = clock.now()
    due = (
        select(LogoutNotice)
        .where(LogoutNotice.due_at <= now, LogoutNotice.expires_at > now)
        .where(LogoutNotice.client_id.not_in(but))
        .order_by(LogoutNotice.due_at, LogoutNotice.id)
        .limit(1)
    )
    with transaction():
        row = db.session.scalar(due)
        if row is None or not _take(row, now + _LEASE):
            return None
        return Leased(row.id, row.client_id, row.sid, row.sub, row.attempts + 1, now + _LEASE)


def _take(row: LogoutNotice, until: datetime) -> bool:
    seen = (LogoutNotice.id == row.id, LogoutNotice.due_at == row.due_at)
    taken = update(LogoutNotice).where(*seen).execution_options(synchronize_session=False)
    return bool(affected(taken.values(due_at=until, attempts=row.attempts + 1)))


def finish(leased: Leased) -> None:
    """It was told. Runs in the caller's transaction."""
    db.session.execute(delete(LogoutNotice).where(LogoutNotice.id == leased.id))


def postpone(leased: Leased) -> None:
    """It was not taken: again later. Runs in the caller's transaction."""
    pause = min(_FIRST_PAUSE * 2 ** min(leased.attempts - 1, 12), _LONGEST_PAUSE)
    mine = (LogoutNotice.id == leased.id, LogoutNotice.due_at == leased.until)
    db.session.execute(update(LogoutNotice).where(*mine).values(due_at=clock.now() + pause))


def purge(limit: int) -> int:
    """Delete up to `limit` that nobody took for a day; how many went."""
    old = select(LogoutNotice.id).where(LogoutNotice.expires_at <= clock.now()).limit(limit)
    return affected(delete(LogoutNotice).where(LogoutNotice.id.in_(old)))
