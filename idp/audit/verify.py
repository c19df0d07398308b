"""Walking the chain: is every event there, as it was sealed, up to where a collector saw it?"""

import enum
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from idp.audit import seals
from idp.audit.chain import COLUMNS, Ends, Link, link, record, tag
from idp.audit.models import AuditChain, AuditEvent
from idp.extensions import snapshot


class FaultKind(enum.StrEnum):
    """What can be wrong with the chain."""

    CHAIN_ROW = "chain-row"
    ALTERED = "altered"
    MISSING = "missing"
    FORGED = "forged"
    PUT_BACK = "put-back"
    CUT = "cut"
    REWRITTEN = "rewritten"
    HEAD_TOO_OLD = "head-too-old"
    UNSEALED = "unsealed"


_SAID = {
    FaultKind.CHAIN_ROW: "the row of the chain was altered, or made with another key",
    FaultKind.ALTERED: "the event is not what was sealed",
    FaultKind.MISSING: "the event is missing; what is shown is its place and the event before it",
    FaultKind.FORGED: "the event is where none was sealed",
    FaultKind.PUT_BACK: "the row of the chain was put back to an earlier state",
    FaultKind.CUT: "the collector saw more events than there are",
    FaultKind.REWRITTEN: "the collector saw another event here",
    FaultKind.HEAD_TOO_OLD: "what the collector saw cannot be verified any more: compare a later line",
    FaultKind.UNSEALED: "events wait for their seal: does a worker run, and what does it log?",
}


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong: the place in the chain, and which row it is about, as far as known."""

    kind: FaultKind
    seq: int | None = None
    id: int | None = None
    at: datetime | None = None

    @property
    def breaks(self) -> bool:
        """Whether the chain itself is broken, and not only late or compared with something older."""
        return self.kind not in {FaultKind.UNSEALED, FaultKind.HEAD_TOO_OLD}

    @property
    def message(self) -> str:
        """For an administrator."""
        return _SAID[self.kind]


@dataclass(frozen=True)
class Report:
    """What a walk found: how many events verify, between which places, and what is wrong.

    `former` events were sealed with a key that is no more, and do not count.
    """

    verified: int
    floor: int
    former: int
    head: Link
    faults: tuple[Fault, ...]


@dataclass
class _Walk:
    """Where the walk is: the last sound link, its row, and what was met at the collector's place."""

    ends: Ends
    last: Link
    row: Row[Any] | None = None
    count: int = 0
    former: int = 0
    fault: Fault | None = None
    seen: str | None = None


def verify(key: bytes, seen: Link | None = None) -> Report:
    """Walk the whole chain in bounded memory, up to the first event that is wrong.

    `seen` is a head that a collector has kept: with it a tail that was cut is found even if the chain's
    own row was put back with it.
    """
    with snapshot() as connection:
        ends, altered = _ends(connection, key)
        floor = ends.floor
        walk = _Walk(ends, floor, seen=floor.mac if seen and seen.seq == floor.seq else None)
        _walk_on(connection, key, walk, seen)
    ending = walk.fault or (None if altered else _end(walk))
    compared = _compare(walk, seen) if seen and not walk.fault else None
    found = tuple(fault for fault in (altered, ending, compared, _unsealed()) if fault)
    return Report(walk.count, floor.seq, walk.former, walk.last, found)


def _walk_on(connection: Connection, key: bytes, walk: _Walk, seen: Link | None) -> None:
    """Go from row to row until one is wrong."""
    sealed = COLUMNS.where(AuditEvent.seq.is_not(None)).order_by(AuditEvent.seq)
    with connection.execute(sealed) as rows:
        for row in rows:
            walk.fault = _step(key, walk, row, seen)
            if walk.fault:
                return


def _ends(connection: Connection, key: bytes) -> tuple[Ends, Fault | None]:
    """The ends that the chain's own row names, and what is wrong with it."""
    row = connection.execute(select(AuditChain.__table__)).first()
    if row is None:
        return Ends(), None
    ends = seals.ends_of(row)
    return ends, None if row.tag == tag(key, ends) else Fault(FaultKind.CHAIN_ROW)


def _step(key: bytes, walk: _Walk, row: Row[Any], seen: Link | None) -> Fault | None:
    """Hold the next row against the chain, and move on to it."""
    place = walk.last.seq + 1
    if 0 < row.seq <= walk.ends.former:
        walk.former += 1
        return None
    if row.seq < place:
        return Fault(FaultKind.FORGED, row.seq, row.id, row.at)
    if row.seq > place:
        return _missing(walk)
    following = link(key, walk.last, record(row, place))
    if following.mac != row.mac:
        kind = FaultKind.FORGED if row.seq > walk.ends.head.seq else FaultKind.ALTERED
        return Fault(kind, row.seq, row.id, row.at)
    if seen and seen.seq == place:
        walk.seen = row.mac
    walk.last, walk.row, walk.count = following, row, walk.count + 1
    return None


def _missing(walk: _Walk) -> Fault:
    before = walk.row
    return Fault(
        FaultKind.MISSING, walk.last.seq + 1, before and before.id, before.at if before else None
    )


def _end(walk: _Walk) -> Fault | None:
    """Does the chain end where its own row says?"""
    head = walk.ends.head
    if walk.last.seq < head.seq:
        return _missing(walk)
    return Fault(FaultKind.PUT_BACK, head.seq) if walk.last != head else None


def _compare(walk: _Walk, seen: Link) -> Fault | None:
    """Does the chain lead through the place that the collector saw?"""
    ends, row = walk.ends, walk.row
    if seen.seq < ends.floor.seq or seen.seq <= ends.former:
        return Fault(FaultKind.HEAD_TOO_OLD, seen.seq)
    if walk.seen is None:
        return Fault(FaultKind.CUT, walk.last.seq, row and row.id, row and row.at)
    return Fault(FaultKind.REWRITTEN, seen.seq) if walk.seen != seen.mac else None


def _unsealed() -> Fault | None:
    late = seals.unsealed()
    return Fault(FaultKind.UNSEALED, at=late.since) if late else None
