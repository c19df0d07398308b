"""The deployment's old user stores: read from one TOML file, asked in order, watched."""

import threading
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from flask import Flask, current_app
from sqlalchemy.exc import SQLAlchemyError

from idp import clock
from idp.errors import ConfigurationError
from idp.legacy import hashes
from idp.legacy.source import Answer, Claimed, Held, LegacySource, Unavailable, Unknown
from idp.legacy.sql import COLUMNS, SqlOptions, SqlSource
from idp.security.references import secret

AdmitRow = Callable[[str, str], Claimed | Held | None]
"""`source.Admit`, with the name of the source first."""
_LOOK_AGAIN = timedelta(seconds=5)
"""For so long the last known state of a source is believed."""


class Sources:
    """Every enabled source, in order, with its last known state."""

    def __init__(self, sources: list[LegacySource]) -> None:
        self.sources = sources
        self._lock = threading.Lock()
        self._looked = datetime.min.replace(tzinfo=UTC)
        self._silent: set[str] = set()

    def ask(self, identifier: str, password: str, admit: AdmitRow) -> Answer:
        """The first answer that decides; Unavailable rather than Unknown when a source was silent.

        A silent source is not asked again until it was seen to answer: nobody waits for it twice, and
        how long somebody waits does not tell whether the old system would have been asked about them.
        """
        for source in self.sources:
            if source.name in self._silent:
                continue
            answer = source.authenticate(identifier, password, partial(admit, source.name))
            if isinstance(answer, Unavailable):
                self._silent.add(source.name)
            elif not isinstance(answer, Unknown):
                return answer
        return Unavailable() if self._silent else Unknown()

    def all_available(self) -> bool:
        """False while any source is known to be silent, whoever asks: looks again every few seconds."""
        with self._lock:
            stale = clock.now() - self._looked >= _LOOK_AGAIN
            if stale:
                self._looked = clock.now()
        if stale:
            silent = {source.name for source in self.sources if source.problem() is not None}
            self._silent = silent
        return not self._silent


def init_app(app: Flask) -> None:
    """Read the file of sources. Raises ConfigurationError for the first thing wrong in it."""
    path = app.extensions["seuil.settings"].legacy_sources
    app.extensions["seuil.legacy"] = Sources(read(path) if path else [])


def ask(identifier: str, password: str, admit: AdmitRow) -> Answer:
    """Ask the old systems in order. Holds no connection of ours; ends within their time-outs."""
    return current().ask(identifier, password, admit)


def all_available() -> bool:
    """True while every source answers."""
    return current().all_available()


def current() -> Sources:
    """The running application's sources."""
    sources: Sources = current_app.extensions["seuil.legacy"]
    return sources


def read(path: Path) -> list[LegacySource]:
    """The enabled sources of a TOML file with `[[source]]` tables. Raises ConfigurationError."""
    try:
        tables = tomllib.loads(path.read_text()).get("source", [])
    except OSError as error:
        raise ConfigurationError(f"cannot read {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} is not TOML: {error}") from None
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise ConfigurationError(f"{path}: write each source as a [[source]] table")
    names = [table.get("name") for table in tables]
    if len(set(names)) < len(names):
        raise ConfigurationError(f"{path}: two sources have the same name")
    return [_source(path, table) for table in tables if table.get("enabled", True)]


def _source(path: Path, table: dict[str, Any]) -> LegacySource:
    name = table.get("name")
    if not isinstance(name, str) or not name or len(name) > 64:
        raise ConfigurationError(f"{path}: every source needs a name of 1 to 64 characters")
    if table.get("type") != "sql":
        raise ConfigurationError(f"{path}: source {name}: type must be sql")
    known = {"name", "type", "enabled", "url", "query", "columns", "hash", "timeout"}
    if set(table) - known:
        unknown = ", ".join(sorted(set(table) - known))
        raise ConfigurationError(f"{path}: source {name}: unknown option {unknown}")
    try:
        return SqlSource(_sql_options(table))
    except (KeyError, ValueError, TypeError, ImportError, SQLAlchemyError) as error:
        raise ConfigurationError(f"{path}: source {name}: {_why(error)}") from None


def _sql_options(table: dict[str, Any]) -> SqlOptions:
    columns = table.get("columns", {})
    unknown = sorted(set(columns) - set(COLUMNS))
    if unknown:
        raise ValueError(f"columns cannot name {', '.join(unknown)}")
    if ":identifier" not in table["query"]:
        raise ValueError("query must select by :identifier")
    scheme = table.get("hash", "auto")
    if scheme not in hashes.SCHEMES:
        raise ValueError(f"hash cannot be {scheme}; choose of {', '.join(sorted(hashes.SCHEMES))}")
    return SqlOptions(
        name=table["name"],
        url=secret(table["url"]),
        query=table["query"],
        columns=columns,
        hash=scheme,
        timeout=float(table.get("timeout", 5)),
    )


def _why(error: Exception) -> str:
    return f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
