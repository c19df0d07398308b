"""Wrapping again, with the key-encryption key that wraps now, whatever is wrapped and still of use.

In small batches: read, wrap outside any transaction, write where the value is still the same. Whoever was
stopped half-way begins again and passes over what is done. What is over (old codes, retired keys) nobody will
open; it stays as it is until it is purged.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, select, update
from sqlalchemy.orm import InstrumentedAttribute

from idp import clock
from idp.challenges.challenge import Challenge
from idp.delivery.models import OutboxMessage
from idp.extensions import affected, db, release, transaction
from idp.keys import kek, wrapping
from idp.keys.models import SigningKey

_BATCH = 200
_Row = tuple[Any, str]
"""Primary key and secret."""
UNREADABLE = "unreadable"
"""In place of a key's name, for what no key of the file opens."""


@dataclass(frozen=True)
class _Column:
    """A column of wrapped secrets; `alive` is true of rows whose secret is still of use."""

    row: InstrumentedAttribute[Any]
    value: InstrumentedAttribute[Any]
    alive: Callable[[], ColumnElement[bool]]

    @property
    def table(self) -> str:
        """By its name."""
        return str(self.value.class_.__tablename__)


_COLUMNS = (
    _Column(SigningKey.kid, SigningKey.private, lambda: SigningKey.retire_at > clock.now()),
    _Column(
        Challenge.id,
        Challenge.secret,
        lambda: Challenge.closed_at.is_(None) & (Challenge.expires_at > clock.now()),
    ),
    _Column(OutboxMessage.id, OutboxMessage.payload, lambda: OutboxMessage.payload.is_not(None)),
)
TABLES = tuple(column.table for column in _COLUMNS)


def look() -> dict[str, Counter[str]]:
    """How many secrets of each table were wrapped with which key; `UNREADABLE` where none opens them."""
    return {column.table: Counter(map(_key_of, _values(column))) for column in _COLUMNS}


def rewrap() -> dict[str, int]:
    """Wrap all that another key wrapped; how many in each table. What nothing opens stays as it is."""
    return {column.table: _rewrap(column) for column in _COLUMNS}


def _rewrap(column: _Column) -> int:
    current = kek.ring().current
    count = 0
    for batch in _batches(column):
        fresh = [
            (row, _anew(row[1])) for row in batch if _key_of(row[1]) not in {current, UNREADABLE}
        ]
        if fresh:
            with transaction():
                count += sum(_write(column, row, value) for row, value in fresh)
    return count


def _write(column: _Column, row: _Row, value: str) -> int:
    """One, unless the secret was erased or replaced since it was read."""
    same = (column.row == row[0], column.value == row[1])
    return affected(update(column.value.class_).where(*same).values({column.value: value}))


def _values(column: _Column) -> Iterator[str]:
    return (row[1] for batch in _batches(column) for row in batch)


def _batches(column: _Column) -> Iterator[list[_Row]]:
    """Rows of the key and the secret, in the order of the key."""
    alive = select(column.row, column.value).where(column.alive()).order_by(column.row)
    batch = _fetched(alive)
    while batch:
        yield batch
        batch = _fetched(alive.where(column.row > batch[-1][0]))


def _fetched(rows: Select[Any]) -> list[_Row]:
    found = [(row[0], row[1]) for row in db.session.execute(rows.limit(_BATCH))]
    release()
    return found


def _key_of(value: str) -> str:
    """Name of the key that opens a secret."""
    _before, blob = _parts(value)
    try:
        return wrapping.opened_with(blob)
    except wrapping.WrapError:
        return UNREADABLE


def _anew(value: str) -> str:
    before, blob = _parts(value)
    return before + wrapping.rewrap(blob)


def _parts(value: str) -> tuple[str, str]:
    """What a room wrote before a JWE, and the JWE: five parts between dots (RFC 7516 7.1)."""
    blob = ".".join(value.split(".")[-5:])
    return value.removesuffix(blob), blob
