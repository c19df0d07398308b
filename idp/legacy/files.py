"""Files of rows, read in bounded memory whatever is in them: CSV with a header, or JSON lines."""

import csv
import hashlib
import json
import os
import re
import stat
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader, TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

from idp.errors import ConfigurationError

if TYPE_CHECKING:
    from _csv import Reader

_LONGEST = 1_048_576
"""Characters of a record; the rest of a longer one is skipped."""
_MOST_COLUMNS = 1000
_UNDECODED = re.compile("[\udc80-\udcff]")
"""What Python makes of bytes that an encoding does not have."""


@dataclass(frozen=True)
class Shape:
    """How a file is written. `encoding` is Python's name of one; `delimiter` is CSV's."""

    format: Literal["csv", "jsonl"]
    encoding: str = "utf-8"
    delimiter: str = ","


@dataclass(frozen=True)
class Record:
    """One row, and the line that it begins on."""

    line: int
    values: dict[str, Any]


@dataclass(frozen=True)
class Fault:
    """What is wrong with the row that begins on a line, in words that repeat nothing of it but, where it is
    known, its key. `kept`: it was loaded all the same, without what is wrong."""

    line: int
    why: str
    key: str = ""
    kept: bool = False


class _BadLineError(Exception):
    """A record that cannot be read; the next one can."""


class _Lines:
    """Lines of a stream, each and each record no longer than can be held."""

    def __init__(self, stream: TextIOWrapper, encoding: str) -> None:
        self._stream, self._encoding = stream, encoding
        self.number = self._taken = 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._read()
        if not line:
            raise StopIteration
        self.number += 1
        self._taken += len(line)
        if len(line) > _LONGEST:
            self._skip(line)
        if self._taken > _LONGEST:
            raise _BadLineError("longer than 1 MiB: is a quote left open?")
        if not line.isascii() and _UNDECODED.search(line):
            raise _BadLineError(f"not {self._encoding}")
        return line

    def begin(self) -> int:
        """The line that the next record begins on."""
        self._taken = 0
        return self.number + 1

    def _skip(self, line: str) -> None:
        while line and not line.endswith(("\n", "\r")):
            line = self._read()

    def _read(self) -> str:
        try:
            return self._stream.readline(_LONGEST + 1)
        except UnicodeError:
            raise ConfigurationError(
                f"line {self.number + 1} is not {self._encoding}: look at --encoding"
            ) from None


@contextmanager
def opened(path: Path) -> Iterator[BufferedReader]:
    """An ordinary file, open for reading. Raises ConfigurationError: nothing else is waited for."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise ConfigurationError(f"cannot read {path}: it is no ordinary file")
        number = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise ConfigurationError(f"cannot read {path}: {why}") from None
    with os.fdopen(number, "rb") as file:
        yield file


def fingerprint(file: BufferedReader, *how: object) -> str:
    """A digest of the whole file and of how it is read, in hexadecimal; reads on from the beginning."""
    digest = hashlib.file_digest(file, "sha256")
    digest.update(repr(how).encode("utf-8", "replace"))
    file.seek(0)
    return digest.hexdigest()


def records(file: BinaryIO, shape: Shape) -> Generator[Record | Fault]:
    """What is in a file, in order. Raises ConfigurationError where nothing in it can be understood."""
    with _text(file, shape) as lines:
        yield from _csv(lines, shape) if shape.format == "csv" else _json(lines)


def header(file: BinaryIO, shape: Shape) -> list[str] | None:
    """The names of a CSV file's columns; None for JSON lines, where each row has its own."""
    if shape.format == "jsonl":
        return None
    with _text(file, shape) as lines:
        names = _header(csv.reader(lines, delimiter=shape.delimiter, strict=True))
    file.seek(0)
    return names


@contextmanager
def _text(file: BinaryIO, shape: Shape) -> Iterator[_Lines]:
    encoding = "utf-8-sig" if shape.encoding == "utf-8" else shape.encoding
    stream = TextIOWrapper(file, encoding, errors="surrogateescape", newline="")
    try:
        yield _Lines(stream, shape.encoding)
    finally:
        stream.detach()


def _header(reader: "Reader") -> list[str]:
    try:
        names = next(reader, None)
    except (csv.Error, _BadLineError) as error:
        raise ConfigurationError(f"line 1 is no header: {error}") from None
    if not names:
        raise ConfigurationError("there is no header: the first line must name the columns")
    if len(names) > _MOST_COLUMNS:
        raise ConfigurationError(f"the header has more than {_MOST_COLUMNS} columns")
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise ConfigurationError(f"the header has two columns {twice[0][:40]!r}")
    return names


def _csv(lines: _Lines, shape: Shape) -> Iterator[Record | Fault]:
    reader = csv.reader(lines, delimiter=shape.delimiter, strict=True)
    names = _header(reader)
    while True:
        line = lines.begin()
        try:
            values = next(reader)
        except StopIteration:
            return
        except (csv.Error, _BadLineError) as error:
            yield Fault(line, _why(error, line, lines.number))
            continue
        if len(values) == len(names):
            yield Record(line, dict(zip(names, values, strict=True)))
        elif values:
            yield Fault(line, f"{len(values)} columns, but the header has {len(names)}")


def _why(error: Exception, first: int, last: int) -> str:
    lines = f"lines {first} to {last} are one row: " if last > first else ""
    return f"{lines}{error}"


def _json(lines: _Lines) -> Iterator[Record | Fault]:
    while True:
        line = lines.begin()
        try:
            text = next(lines)
            values = json.loads(text) if text.strip() else None
        except StopIteration:
            return
        except _BadLineError as error:
            yield Fault(line, str(error))
            continue
        except (ValueError, RecursionError):
            yield Fault(line, "not JSON")
            continue
        if isinstance(values, dict):
            yield Record(line, values)
        elif text.strip():
            yield Fault(line, "no JSON object")
