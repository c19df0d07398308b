"""Sealing events, and purging old ones so that the rest of the chain can still be verified.

Everything runs in the caller's transaction and takes the row of the chain first, so that of several
workers one seals at a time and nobody forks the chain.
"""

import enum
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any

from sqlalchemy import Row, delete, exists, func, select, update

from idp import clock
from idp.audit.chain import COLUMNS, START, Batch, Ends, Link, event_line, link, record, tag
from idp.audit.models import AuditChain, AuditEvent
from idp.extensions import affected, db, upsert

OVERDUE = timedelta(minutes=10)
"""A worker seals every few seconds; what waits longer than this was forgotten, or is kept from it."""
_ONLY = 1


class Broken(enum.Enum):
    """Why nothing is sealed or purged: going on would cover up what somebody did."""

    CHAIN_ROW = "the row of the chain was altered, or made with another key"
    ROWS_AHEAD = "there are sealed rows that the chain does not know"
    OLD_ROWS = "an old event was altered or is missing"


@dataclass(frozen=True)
class Unsealed:
    """Events that wait too long for their seal: how many, and since when."""

    count: int
    since: datetime


def seal(key: bytes, limit: int) -> Batch | Broken | None:
    """Give the next places of the chain to up to `limit` events. None: all are sealed.

    An event that is committed late gets a later place than its neighbours.
    """
    if not _any_waiting():
        return None
    ends = _take(key)
    if isinstance(ends, Broken):
        return ends
    head = ends.head
    waiting = COLUMNS.where(AuditEvent.seq.is_(None)).order_by(AuditEvent.id).limit(limit)
    seals, lines = [], []
    for row in db.session.execute(waiting).all():
        said = record(row, head.seq + 1)
        head = link(key, head, said)
        seals.append({"id": row.id, "seq": head.seq, "mac": head.mac})
        lines.append(event_line(said, head.mac))
    if not seals:
        return None
    db.session.execute(update(AuditEvent), seals)
    _keep(key, replace(ends, head=head))
    return Batch(head, clock.now(), tuple(lines))


def purge(key: bytes, before: datetime, limit: int) -> int | Broken:
    """Delete up to `limit` events of the beginning that are older than `before`; how many went.

    Each is verified first: whoever altered an event cannot have the purge remove the traces. What
    cannot be verified, because its key is no more or nobody ever sealed it, goes by its age alone.
    """
    if not db.session.scalar(select(exists().where(AuditEvent.at < before))):
        return 0
    ends = _take(key)
    if isinstance(ends, Broken):
        return ends
    last = ends.floor
    for row in _beginning(last, before, limit):
        following = link(key, last, record(row, last.seq + 1))
        if following != Link(row.seq, row.mac):
            return Broken.OLD_ROWS
        last = following
    sealed = AuditEvent.seq.between(ends.floor.seq + 1, last.seq)
    gone = affected(delete(AuditEvent).where(sealed))
    _keep(key, replace(ends, floor=last))
    return gone + _purge_unverifiable(ends.former, before, limit - gone)


def restart(key: bytes) -> int:
    """Begin a new chain behind all that was ever sealed, because the former key is no more; its last place.

    What was sealed before stays as it is, and nothing can verify it any more.
    """
    _take(key)
    last_sealed = db.session.scalar(select(func.max(AuditEvent.seq))) or 0
    former = max(last_sealed, db.session.execute(select(AuditChain.seq)).scalar_one())
    place = Link(former, START.mac)
    _keep(key, Ends(place, place, former))
    return former


def is_ours(key: bytes) -> bool:
    """False when the row of the chain was altered, or made with another key."""
    row = db.session.execute(select(AuditChain.__table__)).first()
    return row is None or row.tag == tag(key, ends_of(row))


def ends_of(row: Row[Any]) -> Ends:
    """What the row of the chain says."""
    head, floor = Link(row.seq, row.mac), Link(row.floor_seq, row.floor_mac)
    return Ends(head, floor, row.former_seq)


def unsealed() -> Unsealed | None:
    """Events that should have been sealed long ago."""
    late = select(func.count(), func.min(AuditEvent.at)).where(
        AuditEvent.seq.is_(None), AuditEvent.at < clock.now() - OVERDUE
    )
    count, since = db.session.execute(late).one()
    return Unsealed(count, since) if count else None


def _any_waiting() -> bool:
    return bool(db.session.scalar(select(exists().where(AuditEvent.seq.is_(None)))))


def _take(key: bytes) -> Ends | Broken:
    """The ends of the chain, nobody else's until the transaction ends."""
    first = upsert(AuditChain).values(id=_ONLY, **_columns(key, Ends()))
    kept = first.on_conflict_do_update(
        index_elements=[AuditChain.id], set_={"id": AuditChain.id}
    ).returning(*AuditChain.__table__.columns)
    row = db.session.execute(kept).one()
    ends = ends_of(row)
    if row.tag != tag(key, ends):
        return Broken.CHAIN_ROW
    ahead = select(exists().where(AuditEvent.seq > ends.head.seq))
    return Broken.ROWS_AHEAD if db.session.scalar(ahead) else ends


def _keep(key: bytes, ends: Ends) -> None:
    db.session.execute(
        update(AuditChain).where(AuditChain.id == _ONLY).values(**_columns(key, ends))
    )


def _columns(key: bytes, ends: Ends) -> dict[str, int | str]:
    return {
        "seq": ends.head.seq,
        "mac": ends.head.mac,
        "floor_seq": ends.floor.seq,
        "floor_mac": ends.floor.mac,
        "former_seq": ends.former,
        "tag": tag(key, ends),
    }


def _beginning(floor: Link, before: datetime, limit: int) -> Iterator[Row[Any]]:
    """Sealed events from the floor up to the first that is young enough to stay."""
    first = COLUMNS.where(AuditEvent.seq > floor.seq).order_by(AuditEvent.seq).limit(limit)
    return takewhile(lambda row: row.at < before, db.session.execute(first).all())


def _purge_unverifiable(former: int, before: datetime, limit: int) -> int:
    old = (
        select(AuditEvent.id)
        .where(AuditEvent.seq.is_(None) | (AuditEvent.seq <= former), AuditEvent.at < before)
        .order_by(AuditEvent.id)
        .limit(limit)
    )
    return affected(delete(AuditEvent).where(AuditEvent.id.in_(old)))
