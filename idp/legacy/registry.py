"""The deployment's old user stores: read from one TOML file, asked in order, watched."""

import importlib
import threading
import tomllib
from collections import defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from flask import Flask, current_app
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from idp import clock
from idp.errors import ConfigurationError
from idp.legacy.http import HttpOptions, HttpSource
from idp.legacy.imported import ImportedOptions, ImportedSource
from idp.legacy.source import (
    Answer,
    Claimed,
    Held,
    LegacySource,
    Person,
    Proof,
    SourceOptions,
    Unavailable,
    Unknown,
    Unsupported,
)
from idp.legacy.sql import SqlOptions, SqlSource
from idp.security.slots import Slots

AdmitRow = Callable[[SourceOptions, str], Claimed | Held | None]
"""`source.Admit`, with how the source is described first."""
_LOOK_AGAIN = timedelta(seconds=5)
"""For so long the last known state of a source is believed."""


RESERVED = "invitation"
"""The source of people whom no old system knows."""


@dataclass(frozen=True)
class Found:
    """A row that an identifier stands for."""

    source: str
    person: Person


class Sources:
    """Every enabled source, in order, with its last known state."""

    def __init__(self, sources: list[LegacySource]) -> None:
        self.sources = sources
        self._lock = threading.Lock()
        self._looked = datetime.min.replace(tzinfo=UTC)
        self._silent: set[str] = set()
        self._slots: defaultdict[str, Slots] = defaultdict(Slots)

    def options(self, name: str) -> SourceOptions:
        """How a source is described. Raises KeyError for a name that no enabled one has."""
        return {source.options.name: source.options for source in self.sources}[name]

    def ask(
        self, identifier: str, password: str, admit: AdmitRow, shut: Collection[str] = ()
    ) -> Answer:
        """The first answer that decides; Unavailable rather than Unknown when a source was silent.
        Those that are `shut` are not asked.

        A silent source is not asked again until it was seen to answer: nobody waits for it twice, and
        how long somebody waits does not tell whether the old system would have been asked about them. Nor is
        one asked that enough threads wait for: whoever signs in elsewhere needs the others.
        """
        busy = False
        for source in self.sources:
            options = source.options
            if options.name in self._silent or options.name in shut:
                continue
            with self._slots[options.name].one_of(options.at_once) as free:
                busy |= not free
                if not free:
                    continue
                answer = source.authenticate(identifier, password, partial(admit, options))
            if isinstance(answer, Unavailable):
                self._silent.add(options.name)
            elif not isinstance(answer, Unknown):
                return answer
        return Unavailable() if busy or self._silent - set(shut) else Unknown()

    def find(
        self, identifier: str, name: str | None = None, shut: Collection[str] = ()
    ) -> Found | Unsupported | None:
        """The row behind an identifier, in the first source that has one, or in the one of this name.
        Those that are `shut` are not asked.

        None: no source that answers has one.
        """
        for source in self.sources:
            known = source.options.name
            if known in self._silent or known in shut or name not in {None, known}:
                continue
            with self._slots[known].one_of(source.options.at_once) as free:
                answer = source.find(identifier) if free else None
            if isinstance(answer, Unavailable):
                self._silent.add(known)
            elif isinstance(answer, Person):
                return Found(known, answer)
            elif isinstance(answer, Unsupported):
                return answer
        return None

    def proof(self, name: str) -> Proof:
        """What opens a migration from this source."""
        known = {source.options.name: source.options.proof for source in self.sources}
        return known.get(name, Proof.PASSWORD)

    def all_available(self, shut: Collection[str] = ()) -> bool:
        """False while any source is known to be silent, whoever asks: looks again every few seconds. Those
        that are `shut` are not looked at, and may be switched off."""
        with self._lock:
            stale = clock.now() - self._looked >= _LOOK_AGAIN
            if stale:
                self._looked = clock.now()
        if stale:
            looked_at = [source for source in self.sources if source.options.name not in shut]
            self._silent = {
                source.options.name for source in looked_at if source.problem() is not None
            }
        return not self._silent - set(shut)


def init_app(app: Flask) -> None:
    """Read the file of sources. Raises ConfigurationError for the first thing wrong in it."""
    path = app.extensions["seuil.settings"].legacy_sources
    app.extensions["seuil.legacy"] = Sources(read(path) if path else [])


def ask(identifier: str, password: str, admit: AdmitRow, shut: Collection[str] = ()) -> Answer:
    """Ask the old systems in order. Holds no connection of ours; ends within their time-outs."""
    return current().ask(identifier, password, admit, shut)


def find(identifier: str, shut: Collection[str] = ()) -> Found | Unsupported | None:
    """The row behind an identifier. Holds no connection of ours; ends within the sources' time-outs."""
    return current().find(identifier, shut=shut)


def proof(source: str) -> Proof:
    """What opens a migration from this source."""
    return current().proof(source)


def all_available(shut: Collection[str] = ()) -> bool:
    """True while every source answers that is not `shut`."""
    return current().all_available(shut)


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
    if RESERVED in names:
        raise ConfigurationError(f"{path}: no source can be named {RESERVED}")
    if len(set(names)) < len(names):
        raise ConfigurationError(f"{path}: two sources have the same name")
    return [_source(path, table) for table in tables if table.get("enabled", True)]


def _source(path: Path, table: dict[str, Any]) -> LegacySource:
    name = table.get("name")
    if not isinstance(name, str) or not name:
        raise ConfigurationError(f"{path}: every source needs a name")
    where = f"{path}: source {name}"
    kind = _KINDS.get(str(table.get("type")))
    if kind is None:
        raise ConfigurationError(f"{where}: type must be one of {', '.join(_KINDS)}")
    try:
        return kind(table)
    except ValidationError as error:
        raise ConfigurationError(f"{where}: {_why(error)}") from None
    except (ValueError, TypeError, ImportError, SQLAlchemyError) as error:
        raise ConfigurationError(f"{where}: {error}") from None


def _sql(table: dict[str, Any]) -> LegacySource:
    return SqlSource(SqlOptions.model_validate(table))


def _imported(table: dict[str, Any]) -> LegacySource:
    return ImportedSource(ImportedOptions.model_validate(table))


def _http(table: dict[str, Any]) -> LegacySource:
    return HttpSource(HttpOptions.model_validate(table))


def _ldap(table: dict[str, Any]) -> LegacySource:
    try:
        kind = importlib.import_module("idp.legacy.ldap")
    except ImportError:
        raise ValueError("install seuil[ldap], for directories") from None
    source: LegacySource = kind.LdapSource(kind.LdapOptions.model_validate(table))
    return source


_KINDS: dict[str, Callable[[dict[str, Any]], LegacySource]] = {
    "sql": _sql,
    "ldap": _ldap,
    "http": _http,
    "imported": _imported,
}
"""How each type of source is made of its table."""


def _why(error: ValidationError) -> str:
    """The first mistake, in one line, without what was written: it may be a secret."""
    first = error.errors(include_input=False, include_url=False)[0]
    option = ".".join(str(part) for part in first["loc"])
    match first["type"]:
        case "extra_forbidden":
            return f"unknown option {option}"
        case "missing":
            return f"{option} is missing"
        case "value_error":
            return f"{option}: {first['ctx']['error']}"
        case _:
            return f"{option}: {first['msg']}"
