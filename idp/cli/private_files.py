"""Files that a command writes for its administrator alone: mode 0600, one JSON object a line."""

import json
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from idp.errors import ConfigurationError


class Lines:
    """An open file, or none: then nothing is written."""

    def __init__(self, file: TextIO | None) -> None:
        self._file = file

    def write(self, record: Mapping[str, Any]) -> None:
        """One line."""
        if self._file:
            self._file.write(json.dumps(record) + "\n")

    def flush(self) -> None:
        """Let what was written stay, whatever happens next."""
        if self._file:
            self._file.flush()


@contextmanager
def lines_of(path: Path | None, *, append: bool, never: Path | None = None) -> Iterator[Lines]:
    """A file to write lines into, made or emptied unless `append`; `never` is not written over.

    Raises ConfigurationError for what is no file of one's own.
    """
    if path is None:
        yield Lines(None)
        return
    if never and path.exists() and path.samefile(never):
        raise ConfigurationError(f"{path} is the file that is read: name another")
    with opened(path, append=append) as file:
        yield Lines(file)


@contextmanager
def opened(path: Path, *, append: bool) -> Iterator[TextIO]:
    """A file of one's own to write text into, made or emptied unless `append`. Raises ConfigurationError."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_APPEND
    try:
        number = os.open(path, flags, 0o600)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise ConfigurationError(f"cannot write {path}: {why}") from None
    with os.fdopen(number, "a", encoding="utf-8", newline="") as file:
        _make_private(path, number, append=append)
        yield file


def _make_private(path: Path, number: int, *, append: bool) -> None:
    if not stat.S_ISREG(os.fstat(number).st_mode):
        raise ConfigurationError(f"cannot write {path}: it is no ordinary file")
    try:
        os.fchmod(number, 0o600)
    except PermissionError:
        raise ConfigurationError(f"{path} belongs to somebody else: name another") from None
    if not append:
        os.ftruncate(number, 0)
