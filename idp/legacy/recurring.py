"""Values that several rows have, found in bounded memory however many rows there are."""

import hashlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

_AT_ONCE = 2000
_FINDINGS = """
SELECT seen.key, often.number, often.people, often.rows
FROM seen JOIN (
    SELECT value, min(rowid) AS number, count(*) AS rows, count(DISTINCT who) AS people
    FROM seen WHERE kind = :kind GROUP BY value HAVING count(*) > 1
) AS often ON often.value = seen.value
WHERE seen.kind = :kind ORDER BY often.number, seen.rowid
"""


@dataclass(frozen=True)
class Recurrence:
    """One of the rows that have a value in common: `number` is that of the value, `people` says how many
    different people have it and `rows` how many rows."""

    key: str
    number: int
    people: int
    rows: int


class Recurring:
    """Digests of values in a file that has no name and goes when it is closed."""

    def __init__(self) -> None:
        self._file = sqlite3.connect("", isolation_level=None)
        self._file.execute("CREATE TABLE seen (kind TEXT, value BLOB, who BLOB, key TEXT)")
        self._file.execute("BEGIN")
        self._waiting: list[tuple[str, bytes, bytes, str]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._file.close()

    def see(self, kind: str, value: str, *, key: str, who: str = "") -> None:
        """A row with this key has this value; `who` tells people apart."""
        self._waiting.append((kind, _digest(value), _digest(who), key))
        if len(self._waiting) >= _AT_ONCE:
            self._put()

    def found(self, kind: str) -> Iterator[Recurrence]:
        """Every row whose value another row has as well, those of one value one after the other."""
        self._put()
        for row in self._file.execute(_FINDINGS, {"kind": kind}):
            yield Recurrence(*row)

    def _put(self) -> None:
        self._file.executemany("INSERT INTO seen VALUES (?, ?, ?, ?)", self._waiting)
        self._waiting.clear()


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).digest()
