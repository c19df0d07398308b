"""Whether people who have migrated could still sign in over there: both sides are compared, row by row."""

import enum
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, func, select, true, update
from sqlalchemy.exc import SQLAlchemyError

from idp import clock
from idp.extensions import db, release, transaction
from idp.legacy import registry
from idp.legacy.identity import LegacyIdentity
from idp.legacy.source import LegacySource, Listable, Person, Unknown, Unsupported, listable

_BATCH = 500
_EXAMPLES = 10


class DoorError(Exception):
    """A source that does not answer, or says nothing that can be compared."""


class Door(enum.StrEnum):
    """CLOSED: locked over there. GONE: there is no such row any more. UNSEEN: nobody is found by the old
    identifier, which may have another name by now."""

    OPEN = "open"
    CLOSED = "closed"
    GONE = "gone"
    UNSEEN = "unseen"


@dataclass
class Compared:
    """What was found of one source: people by door, and a few whose door is open, as `source:key`."""

    source: str
    doors: dict[Door, int] = field(default_factory=lambda: dict.fromkeys(Door, 0))
    examples: list[str] = field(default_factory=list)

    @property
    def migrated(self) -> int:
        """All who were looked at."""
        return sum(self.doors.values())


_Claim = tuple[int, str, str | None]
"""Row id, key and identifier of a claimed identity."""
_Look = Callable[[Sequence[_Claim]], dict[int, Door]]
Meter = Callable[[int, float | None], None]


def watched() -> list[LegacySource]:
    """The old systems that people could still sign in to; copies have no door."""
    return [one for one in registry.current().sources if one.options.type != "imported"]


def compare(source: LegacySource, meter: Meter, *, retry: bool) -> Compared:
    """Look at everybody who has migrated from a source, and note how each door is; with `retry` the source is
    told again of those whose door is open. Raises DoorError."""
    compared = Compared(source.options.name)
    whole = migrated(compared.source) or 1
    with _looking(source) as look:
        last = 0
        while batch := _claims(compared.source, last):
            release()
            found = look(batch)
            _note(found, retry=retry)
            for row, key, _identifier in batch:
                compared.doors[found[row]] += 1
                if found[row] is Door.OPEN and len(compared.examples) < _EXAMPLES:
                    compared.examples.append(f"{compared.source}:{key}")
            last = batch[-1][0]
            meter(compared.migrated, compared.migrated / whole)
    return compared


def migrated(source: str) -> int:
    """How many people of a source have an account."""
    mine = (LegacyIdentity.source == source, LegacyIdentity.account_id.is_not(None))
    return db.session.scalar(select(func.count()).select_from(LegacyIdentity).where(*mine)) or 0


def open_doors() -> dict[str, int]:
    """Of each source, how many migrated people's old door is not known to be closed."""
    names = [one.options.name for one in watched()]
    counted = (
        select(LegacyIdentity.source, func.count().label("number"))
        .where(LegacyIdentity.source.in_(names), LegacyIdentity.account_id.is_not(None))
        .where(LegacyIdentity.door_closed_at.is_(None))
        .group_by(LegacyIdentity.source)
    )
    found = {row.source: row.number for row in db.session.execute(counted)}
    return {name: found.get(name, 0) for name in names}


def _claims(source: str, after: int) -> list[_Claim]:
    mine = (LegacyIdentity.source == source, LegacyIdentity.account_id.is_not(None))
    claims = (
        select(LegacyIdentity.id, LegacyIdentity.key, LegacyIdentity.identifier)
        .where(*mine, LegacyIdentity.id > after)
        .order_by(LegacyIdentity.id)
        .limit(_BATCH)
    )
    return [(row.id, row.key, row.identifier) for row in db.session.execute(claims)]


@contextmanager
def _looking(source: LegacySource) -> Iterator[_Look]:
    rows = listable(source)
    if rows is None:
        yield lambda batch: {row: _asked(source, key, name) for row, key, name in batch}
        return
    with _Listed(source.options.name, rows) as listed:
        yield listed.look


class _Listed:
    """Every row of a source, key and lock, in a file that has no name and goes when it is closed."""

    def __init__(self, name: str, rows: Listable) -> None:
        self._file = sqlite3.connect("", isolation_level=None)
        self._file.execute("CREATE TABLE listed (key TEXT PRIMARY KEY, locked INTEGER)")
        self._file.execute("BEGIN")
        put = "INSERT OR REPLACE INTO listed VALUES (?, ?)"
        try:
            self._file.executemany(
                put, ((one.person.key, one.person.locked) for one in rows.rows())
            )
        except SQLAlchemyError as error:
            self._file.close()
            raise DoorError(f"{name} cannot be listed: {type(error).__name__}") from None

    def __enter__(self) -> "_Listed":
        return self

    def __exit__(self, *_error: object) -> None:
        self._file.close()

    def look(self, batch: Sequence[_Claim]) -> dict[int, Door]:
        """See `_Look`."""
        return {row: self._door(key) for row, key, _identifier in batch}

    def _door(self, key: str) -> Door:
        found = self._file.execute("SELECT locked FROM listed WHERE key = ?", (key,)).fetchone()
        if found is None:
            return Door.GONE
        return Door.CLOSED if found[0] else Door.OPEN


def _asked(source: LegacySource, key: str, identifier: str | None) -> Door:
    """By the identifier; whoever is called so now may be somebody else."""
    found = source.find(identifier) if identifier else Unknown()
    match found:
        case Person():
            if found.key != key:
                return Door.UNSEEN
            return Door.CLOSED if found.locked else Door.OPEN
        case Unknown():
            return Door.UNSEEN
        case Unsupported():
            # Somebody has to look at it.
            return Door.OPEN
        case _:
            raise DoorError(f"{source.options.name} does not answer; what was seen so far is noted")


def _note(found: dict[int, Door], *, retry: bool) -> None:
    """Closed since it was first seen closed; told again where it is open and that is wished."""
    now = clock.now()
    rows = {door: [row for row, seen in found.items() if seen is door] for door in Door}
    closed, due = LegacyIdentity.door_closed_at, LegacyIdentity.call_due_at
    again = {"call_due_at": now, "call_since": now, "call_attempts": 0, "call_error": None}
    with transaction():
        for door in (Door.CLOSED, Door.GONE):
            _set(rows[door], closed.is_(None), {"door_closed_at": now})
        _set(rows[Door.GONE], due.is_not(None), {"call_due_at": None, "call_since": None})
        _set(rows[Door.OPEN], closed.is_not(None), {"door_closed_at": None})
        if retry:
            _set(rows[Door.OPEN], true(), again)


def _set(rows: list[int], where: ColumnElement[bool], values: dict[str, object]) -> None:
    claimed = (LegacyIdentity.id.in_(rows), LegacyIdentity.account_id.is_not(None))
    if rows:
        db.session.execute(update(LegacyIdentity).where(*claimed, where).values(**values))
