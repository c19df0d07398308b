"""Loading files into the copy of a source: batch by batch, each with how far it came, in one transaction.

Whoever is interrupted goes on where they stopped. The same file twice changes nothing. Rows that an account
holds stay as they are.
"""

import os
import socket
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, select, update

from idp import clock
from idp.errors import ConfigurationError
from idp.extensions import affected, db, transaction, upsert
from idp.legacy import batches
from idp.legacy.batches import Tally
from idp.legacy.copies import LegacyLoad, LegacyRow
from idp.legacy.entries import Batch
from idp.legacy.files import Fault

GIVEN_UP = timedelta(minutes=1)
"""Whoever has not been seen for so long loads no more."""
_REMOVED_AT_ONCE = 1000
_NO_LOAD = -1


@dataclass
class Load:
    """One source being loaded, by this process only. `position`: so many records are done."""

    source: str
    number: int = _NO_LOAD
    holder: str = ""
    position: int = 0
    tally: Tally = field(default_factory=Tally)
    keys: set[int] = field(default_factory=set)


@dataclass(frozen=True)
class Written:
    """A batch that will have been done once the transaction is."""

    faults: list[Fault]
    position: int
    tally: Tally


def begin(source: str, fingerprint: str) -> Load:
    """Take the source for this process: the unfinished load of the same file, or a new one. In the
    caller's transaction. Raises ConfigurationError while somebody else is at it."""
    holder = f"{socket.gethostname()[:60]}:{os.getpid()}"
    row = _locked(source)
    if row.holder and not _gone(row, holder):
        said = f"{source} is being loaded by process {row.holder}"
        raise ConfigurationError(f"{said}; wait for its end, or for a minute after it was killed")
    if row.finished_at or row.fingerprint != fingerprint:
        row.number, row.fingerprint, row.counts = row.number + 1, fingerprint, {}
        row.position = row.line = 0
    row.holder, row.beat, row.finished_at = holder, clock.now(), None
    names = {one.name for one in fields(Tally)}
    tally = Tally(**{name: count for name, count in row.counts.items() if name in names})
    return Load(source, row.number, holder, row.position, tally)


def write(load: Load, batch: Batch) -> Written:
    """Write a batch, in the caller's transaction, and all that is wrong with it. Raises ConfigurationError
    when another process has taken the load over."""
    tally = replace(load.tally)
    found = batches.sort(load.source, load.number, batch.entries, tally)
    batches.store(load.source, load.number, found)
    faults = [*batch.faults, *found.faults]
    tally.add(faults)
    place = {"position": batch.position, "line": batch.line, "counts": asdict(tally)}
    if not _keep(load, **place, beat=clock.now()):
        raise ConfigurationError(f"another process has begun to load {load.source}")
    return Written(sorted(faults, key=lambda fault: fault.line), batch.position, tally)


def go_on(load: Load, written: Written) -> None:
    """It is committed."""
    load.position, load.tally = written.position, written.tally


def try_out(load: Load, batch: Batch) -> Written:
    """As `write`, but nothing is written. Remembers eight bytes of every key, to see which come again."""
    entries, faults, tally = [], list(batch.faults), replace(load.tally)
    for entry in batch.entries:
        key = hash(entry["key"])
        if key in load.keys:
            faults.append(Fault(entry["line"], "the same key as an earlier line", entry["key"]))
        else:
            load.keys.add(key)
            entries.append(entry)
    batches.sort(load.source, _NO_LOAD, entries, tally)
    tally.add(faults)
    return Written(sorted(faults, key=lambda fault: fault.line), batch.position, tally)


def leave(load: Load, *, finished: bool) -> None:
    """Let the source go, in the caller's transaction; the next run goes on, or begins anew."""
    _keep(load, holder=None, finished_at=clock.now() if finished else None)


def left_over(load: Load) -> int:
    """How many rows of earlier files, which no account holds, this one does not have."""
    rows = select(func.count()).select_from(LegacyRow).where(*_of_earlier(load))
    return db.session.scalar(rows) or 0


def remove_left_over(load: Load) -> int:
    """Delete them, in transactions of its own: who is gone from the old system must not come in."""
    return _remove(*_of_earlier(load))


def forget(source: str) -> int:
    """Delete every row of a source, in transactions of its own; how many went."""
    return _remove(LegacyRow.source == source)


def _remove(*which: Any) -> int:
    total = 0
    while True:
        ids = select(LegacyRow.id).where(*which).limit(_REMOVED_AT_ONCE)
        with transaction():
            gone = affected(delete(LegacyRow).where(LegacyRow.id.in_(ids)))
        total += gone
        if gone < _REMOVED_AT_ONCE:
            return total


def _of_earlier(load: Load) -> tuple[Any, ...]:
    others = (LegacyRow.source == load.source, LegacyRow.load != load.number)
    return (*others, LegacyRow.erased_at.is_(None))


def _locked(source: str) -> LegacyLoad:
    """The row, nobody else's until the transaction ends."""
    none: dict[str, Any] = {"number": 0, "fingerprint": "", "position": 0, "line": 0, "counts": {}}
    fresh = upsert(LegacyLoad).values(source=source, beat=clock.now(), **none)
    db.session.execute(fresh.on_conflict_do_nothing())
    mine = select(LegacyLoad).where(LegacyLoad.source == source).with_for_update()
    row = db.session.scalar(mine.execution_options(populate_existing=True))
    assert row is not None, "it was made, if it was not there"
    return row


def _gone(row: LegacyLoad, me: str) -> bool:
    """Whether the process that began is no more; of those on this machine that can be told at once."""
    host, _, number = (row.holder or "").rpartition(":")
    if host == me.rpartition(":")[0]:
        return row.holder == me or not _lives(int(number))
    return row.beat < clock.now() - GIVEN_UP


def _lives(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _keep(load: Load, **values: Any) -> bool:
    """Note how far it came; False when it is no longer ours."""
    mine = (LegacyLoad.source == load.source, LegacyLoad.holder == load.holder)
    return bool(affected(update(LegacyLoad).where(*mine).values(**values)))
