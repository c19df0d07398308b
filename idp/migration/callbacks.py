"""Telling an old system that somebody has migrated, so that it closes its own door (`on_migrated`).

What is to be told stands on the identity, written with its claim. A worker tells it, outside of every
transaction, until it was taken: at least once, and after a crash perhaps once more.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import ColumnElement, func, select, update

from idp import clock
from idp.accounts.account import Account
from idp.extensions import affected, db, release, transaction
from idp.legacy import registry
from idp.legacy.identity import LegacyIdentity
from idp.legacy.source import Informed, Migrated, NotTakenError, informed

_log = structlog.get_logger("seuil.callbacks")

_LEASE = timedelta(minutes=5)
"""Longer than any source may take; then another worker tells it again."""
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=6)


@dataclass(frozen=True)
class Waiting:
    """What is not told yet: how many, since when the first one waits, and what was wrong with the last."""

    count: int
    since: datetime | None
    last_error: str | None


@dataclass(frozen=True)
class _Call:
    """One that this worker may make until `leased`."""

    identity_id: int
    attempts: int
    leased: datetime
    migrated: Migrated


def leave(account_id: int) -> None:
    """An account has claimed something: let the old systems that want to know it be told. Runs in the caller's
    transaction."""
    untold = LegacyIdentity.door_closed_at.is_(None)
    _wait(LegacyIdentity.account_id == account_id, untold)


def leave_again(identities: list[int]) -> None:
    """What was told of these (row ids) is not true any more. Runs in the caller's transaction."""
    _wait(LegacyIdentity.id.in_(identities), door_closed_at=None)


def _wait(*which: ColumnElement[bool], **values: None) -> None:
    now, names = clock.now(), sources()
    new = {"call_due_at": now, "call_since": now, "call_attempts": 0, "call_error": None}
    if names:
        rows = update(LegacyIdentity).where(*which, LegacyIdentity.source.in_(names))
        db.session.execute(rows.values(**new, **values))


def make_next(source: str) -> bool | None:
    """Tell the source of one who is due, if there is one: None when nobody is, False when it was not taken."""
    told = _informed(source)
    call = _lease(source) if told else None
    if told is None or call is None:
        return None
    release()
    try:
        told.tell(call.migrated)
    except NotTakenError as error:
        _postpone(call, str(error))
        _log.warning("old_system_not_told", source=source, error=str(error))
        return False
    _finish(call)
    return True


def sources() -> list[str]:
    """The names of the old systems that want to be told."""
    return [one.options.name for one in registry.current().sources if informed(one)]


def waiting(source: str) -> Waiting:
    """What a source was not told yet."""
    due = (LegacyIdentity.source == source, LegacyIdentity.call_due_at.is_not(None))
    found = select(LegacyIdentity.call_since, LegacyIdentity.call_error).where(*due)
    oldest = db.session.execute(found.order_by(LegacyIdentity.call_since).limit(1)).first()
    count = db.session.query(LegacyIdentity).filter(*due).count()
    failed = found.where(LegacyIdentity.call_error.is_not(None))
    last = db.session.execute(failed.order_by(LegacyIdentity.call_due_at.desc()).limit(1)).first()
    return Waiting(count, oldest.call_since if oldest else None, last.call_error if last else None)


def stranded() -> dict[str, int]:
    """How many wait of each source that cannot be told any more: it is not in the file, or has no
    `on_migrated`."""
    counted = (
        select(LegacyIdentity.source, func.count().label("number"))
        .where(LegacyIdentity.call_due_at.is_not(None), LegacyIdentity.source.not_in(sources()))
        .group_by(LegacyIdentity.source)
    )
    return {row.source: row.number for row in db.session.execute(counted)}


def _informed(source: str) -> Informed | None:
    known = {one.options.name: one for one in registry.current().sources}
    return informed(known[source]) if source in known else None


def _lease(source: str) -> _Call | None:
    """Own the one that waits longest, for as long as a lease."""
    now = clock.now()
    due = (
        select(LegacyIdentity.id, LegacyIdentity.call_due_at)
        .where(LegacyIdentity.source == source, LegacyIdentity.call_due_at <= now)
        .order_by(LegacyIdentity.call_due_at)
        .limit(1)
    )
    seen = db.session.execute(due).first()
    if seen is None:
        return None
    with transaction():
        mine = affected(
            update(LegacyIdentity)
            .where(LegacyIdentity.id == seen.id, LegacyIdentity.call_due_at == seen.call_due_at)
            .values(call_due_at=now + _LEASE, call_attempts=LegacyIdentity.call_attempts + 1)
        )
        identity = db.session.get(LegacyIdentity, seen.id) if mine else None
        if identity is None or identity.account_id is None:
            return None
        return _Call(
            identity_id=identity.id,
            attempts=identity.call_attempts,
            leased=now + _LEASE,
            migrated=_migrated(identity),
        )


def _migrated(identity: LegacyIdentity) -> Migrated:
    account = db.session.get_one(Account, identity.account_id)
    return Migrated(
        key=identity.key,
        identifier=identity.identifier or "",
        sub=account.sub,
        at=identity.claimed_at or clock.now(),
    )


def _finish(call: _Call) -> None:
    _write(call, call_due_at=None, call_since=None, call_error=None, door_closed_at=clock.now())


def _postpone(call: _Call, error: str) -> None:
    pause = min(_FIRST_PAUSE * 2 ** min(call.attempts - 1, 20), _LONGEST_PAUSE)
    _write(call, call_due_at=clock.now() + pause, call_error=error[:100])


def _write(call: _Call, **values: object) -> None:
    """Record it, unless the claim was undone or given away meanwhile, or the lease was lost."""
    with transaction():
        db.session.execute(
            update(LegacyIdentity)
            .where(LegacyIdentity.id == call.identity_id)
            .where(LegacyIdentity.call_due_at == call.leased)
            .values(**values)
        )
