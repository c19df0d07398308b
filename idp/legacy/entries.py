"""From a record of a file to a row of ours, or what is wrong with it."""

import hashlib
import json
import re
from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, BinaryIO

from idp.legacy import files, rows
from idp.legacy.copies import lookup_key
from idp.legacy.files import Fault, Record, Shape
from idp.legacy.rows import WORDS, Row

_LONGEST = {"key": 255, "identifier": 254, "scheme": 64, "password_hash": 2048}
_LONGEST_OTHER = 1000
"""Characters of a value. Who needs more is no person's record."""
_TEXTS = ("key", "identifier", "password_hash", "salt", "scheme", "email", "phone")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""What PostgreSQL cannot hold."""


@dataclass(frozen=True)
class Reading:
    """How the records of a file are understood: our words to its columns, and how it writes dates
    (`strftime` codes; empty: ISO 8601)."""

    columns: Mapping[str, str]
    date_format: str = ""

    @property
    def wanted(self) -> dict[str, str]:
        """Every word with its column, those that are called by the word itself among them."""
        return {**{word: word for word in WORDS}, **self.columns}


@dataclass(frozen=True)
class Batch:
    """So many records: the rows that they make, what is wrong with others, and where they end."""

    entries: list[dict[str, Any]]
    faults: list[Fault]
    position: int
    line: int


def batches(
    file: BinaryIO, shape: Shape, reading: Reading, size: int, done: int
) -> Generator[Batch]:
    """A file in batches of so many records, after those that are `done`."""
    wanted = reading.wanted
    with closing(files.records(file, shape)) as found:
        for _skipped in islice(found, done):
            pass
        while taken := list(islice(found, size)):
            done += len(taken)
            yield _batch(taken, reading, wanted, done)


def _batch(
    taken: list[Record | Fault], reading: Reading, wanted: Mapping[str, str], done: int
) -> Batch:
    batch = Batch([], [], done, taken[-1].line)
    for one in taken:
        made = one if isinstance(one, Fault) else entry(one, reading, wanted)
        if isinstance(made, Fault):
            batch.faults.append(made)
            continue
        batch.entries.append(made)
        odd = undated(one, made, wanted) if isinstance(one, Record) else None
        if odd:
            batch.faults.append(odd)
    return batch


def entry(record: Record, reading: Reading, wanted: Mapping[str, str]) -> dict[str, Any] | Fault:
    """The columns of a `LegacyRow` that a record fills."""
    values = {column: record.values.get(column) for column in wanted.values()}
    nested = next((c for c, value in values.items() if isinstance(value, dict | list)), None)
    if nested is not None:
        return Fault(record.line, f"{nested} is no text or number")
    if reading.date_format:
        values[wanted["birthdate"]] = _iso(values[wanted["birthdate"]], reading.date_format)
    row = rows.read(values, reading.columns)
    stored = _stored(row)
    why = _problem(stored)
    if why:
        return Fault(record.line, why, key=_quotable(row.person.key))
    stored["digest"] = _digest(stored)
    stored["line"] = record.line
    return stored


def undated(record: Record, stored: Mapping[str, Any], wanted: Mapping[str, str]) -> Fault | None:
    """That a birth date was not understood, if so; the person is loaded without one."""
    written = record.values.get(wanted["birthdate"])
    if not written or "birthdate" in stored["profile"]:
        return None
    why = f"{wanted['birthdate']} is no date: loaded without one; see --date-format"
    return Fault(record.line, why, key=stored["key"], kept=True)


def _stored(row: Row) -> dict[str, Any]:
    person = row.person
    return {
        "key": person.key,
        "identifier": person.identifier.strip(),
        "lookup": lookup_key(person.identifier),
        "password_hash": row.password_hash,
        "salt": row.salt,
        "scheme": row.scheme,
        "email": person.email,
        "phone": person.phone,
        "profile": {name: str(value) for name, value in vars(person.profile).items() if value},
        "attributes": dict(person.attributes),
        "locked": person.locked,
        "must_change": person.must_change,
    }


def _problem(stored: Mapping[str, Any]) -> str | None:
    """The first thing that keeps a row out."""
    for word in ("key", "identifier"):
        if not stored[word]:
            return f"no {word}"
    texts = {**{name: stored[name] for name in _TEXTS}, **stored["profile"], **stored["attributes"]}
    for name, text in texts.items():
        if len(text) > _LONGEST.get(name, _LONGEST_OTHER):
            return f"{name} is longer than {_LONGEST.get(name, _LONGEST_OTHER)} characters"
        if not text.isprintable() and _UNSTORABLE.search(text):
            return f"{name} has a NUL or half a character in it"
    if len(stored["lookup"]) > _LONGEST["identifier"]:
        return "identifier is too long when its case is folded"
    return None


def _digest(stored: Mapping[str, Any]) -> str:
    text = json.dumps(stored, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:44]


def _iso(written: object, date_format: str) -> object:
    try:
        return datetime.strptime(str(written).strip(), date_format).date()  # noqa: DTZ007 - a day
    except ValueError:
        return None


def _quotable(key: str) -> str:
    """A key as far as a report needs it."""
    return key[:255].encode("utf-8", "replace").decode()
