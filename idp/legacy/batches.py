"""A batch of rows for the copy of a source: told apart into new, changed and known ones, and written."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from sqlalchemy import Table, bindparam, select, update

from idp import clock
from idp.extensions import db, upsert
from idp.legacy.copies import ERASED, LegacyRow
from idp.legacy.files import Fault
from idp.legacy.identity import LegacyIdentity

_ROWS = cast("Table", LegacyRow.__table__)
_KEPT_ON_CONFLICT = {"id", "source", "key"}

Entry = Mapping[str, Any]


@dataclass
class Tally:
    """What became of records. `claimed`: an account holds them; `undated`: loaded without a birth date."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    claimed: int = 0
    refused: int = 0
    undated: int = 0

    def add(self, faults: Sequence[Fault]) -> None:
        """Count what was wrong."""
        self.refused += sum(not fault.kept for fault in faults)
        self.undated += sum(fault.kept for fault in faults)


@dataclass
class Sorted:
    """Rows to be written whole, rows that only were seen again, and those whose key came before."""

    put: list[Entry] = field(default_factory=list)
    seen: list[Entry] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def sort(source: str, number: int, entries: Sequence[Entry], tally: Tally) -> Sorted:
    """Look at what the table and the accounts have, in the caller's transaction, and count."""
    keys = [entry["key"] for entry in entries]
    known, claimed = _known(source, keys), _claimed(source, keys)
    found, lines = Sorted(), dict[str, int]()
    for entry in entries:
        key, before = entry["key"], known.get(entry["key"])
        again = lines.setdefault(key, entry["line"])
        if before and before.load == number:
            again = before.line
        if again != entry["line"]:
            found.faults.append(Fault(entry["line"], f"the same key as line {again}", key=key))
        elif key in claimed:
            tally.claimed += 1
            (found.seen if before else found.put).append(entry if before else {**entry, **ERASED})
        elif before and before.digest == entry["digest"]:
            tally.unchanged += 1
            found.seen.append(entry)
        else:
            tally.changed += before is not None
            tally.created += before is None
            found.put.append(entry)
    return found


def store(source: str, number: int, found: Sorted) -> None:
    """Write it, in the caller's transaction."""
    connection, now = db.session.connection(), clock.now()
    if found.put:
        insert = upsert(LegacyRow)
        new = {
            column.name: insert.excluded[column.name]
            for column in _ROWS.columns
            if column.name not in _KEPT_ON_CONFLICT
        }
        whole = insert.on_conflict_do_update(index_elements=["source", "key"], set_=new)
        connection.execute(whole, list(_rows(source, number, found.put, now)))
    if found.seen:
        mine = (_ROWS.c.source == source, _ROWS.c.key == bindparam("its_key"))
        again = update(_ROWS).where(*mine).values(load=number, line=bindparam("its_line"))
        said = [{"its_key": entry["key"], "its_line": entry["line"]} for entry in found.seen]
        connection.execute(again, said)


def _rows(source: str, number: int, entries: Sequence[Entry], now: Any) -> Iterator[dict[str, Any]]:
    """An empty digest is that of a row that an account holds."""
    for entry in entries:
        erased = None if entry["digest"] else now
        own = {"source": source, "load": number, "loaded_at": now, "erased_at": erased}
        yield {**entry, **own}


def _known(source: str, keys: list[str]) -> dict[str, Any]:
    columns = (_ROWS.c.key, _ROWS.c.digest, _ROWS.c.load, _ROWS.c.line)
    found = select(*columns).where(_ROWS.c.source == source, _ROWS.c.key.in_(keys))
    return {row.key: row for row in db.session.execute(found)}


def _claimed(source: str, keys: list[str]) -> set[str]:
    """Keys that accounts hold. Nobody claims one of the others before the transaction ends."""
    met = (LegacyIdentity.source == source, LegacyIdentity.key.in_(keys))
    columns = (LegacyIdentity.key, LegacyIdentity.account_id)
    found = db.session.execute(select(*columns).where(*met).with_for_update(read=True))
    return {key for key, account in found if account is not None}
