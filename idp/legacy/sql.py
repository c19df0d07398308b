"""An old user store in a SQL database: one SELECT by identifier, one hash compared here."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import structlog
from sqlalchemy import URL, Engine, create_engine, make_url, text
from sqlalchemy.exc import SQLAlchemyError

from idp.accounts.profile import Profile
from idp.legacy import hashes
from idp.legacy.source import (
    Admit,
    Answer,
    Match,
    Mismatch,
    Unavailable,
    Unknown,
    Unsupported,
)

_log = structlog.get_logger("seuil.legacy")

COLUMNS = (
    *("key", "identifier", "password_hash", "salt", "scheme", "email", "phone", "given_name"),
    *("family_name", "birthdate", "street_address", "postal_code", "locality", "country"),
    *("locked", "must_change"),
)
"""What a column of the query may be mapped to."""

_FALSE = {"", "0", "0.0", "\x00", "f", "false", "n", "no", "non", "off", "none", "nein", "aus"}
"""What a flag column says when it is not set; whatever else it says is taken for set."""
_LONGEST_IDENTIFIER = 254
_LONGEST_KEY = 255
_NOBODY = "\x7f"
"""An identifier that no row has."""


@dataclass(frozen=True)
class SqlOptions:
    """`query` selects by `:identifier`; `columns` maps our words to its columns; `timeout` in seconds."""

    name: str
    url: str
    query: str
    columns: Mapping[str, str]
    hash: str = "auto"
    timeout: float = 5.0


class SqlSource:
    """Reads one row at a time, with bound parameters only, and writes nothing."""

    def __init__(self, options: SqlOptions) -> None:
        self.name = options.name
        self._options = options
        self._engine = _engine(options)

    def authenticate(self, identifier: str, password: str, admit: Admit) -> Answer:
        """See `LegacySource.authenticate`."""
        if not _can_be_asked(identifier):
            return Unknown()
        try:
            rows = self._rows(identifier)
        except SQLAlchemyError as error:
            _log.warning("source_unavailable", source=self.name, error=type(error).__name__)
            return Unavailable()
        if not rows:
            return Unknown()
        key = self._text(rows[0], "key")
        doubt = _doubt(rows, key)
        if doubt:
            return self._unsupported(key[:_LONGEST_KEY], doubt)
        return admit(key) or self._compare(rows[0], key, password)

    def problem(self) -> str | None:
        """See `LegacySource.problem`: asks the configured query for nobody."""
        try:
            with self._engine.connect() as connection:
                columns = connection.execute(
                    text(self._options.query), {"identifier": _NOBODY}
                ).keys()
        except SQLAlchemyError as error:
            reason = str(getattr(error, "orig", None) or error).strip().splitlines()
            return f"does not answer: {reason[0] if reason else type(error).__name__}"
        needed = {name: self._options.columns.get(name, name) for name in ("key", "password_hash")}
        needed |= self._options.columns
        lacking = [f"{column} ({name})" for name, column in needed.items() if column not in columns]
        return f"its query gives no column {', '.join(sorted(lacking))}" if lacking else None

    def close(self) -> None:
        """See `LegacySource.close`."""
        self._engine.dispose()

    def _rows(self, identifier: str) -> list[Mapping[str, Any]]:
        """At most two: more than one is a doubt, and a doubt is nobody's sign-in."""
        with self._engine.connect() as connection:
            result = connection.execute(text(self._options.query), {"identifier": identifier})
            return [dict(row) for row in result.mappings().fetchmany(2)]

    def _compare(self, row: Mapping[str, Any], key: str, password: str) -> Answer:
        scheme = self._text(row, "scheme") or self._options.hash
        try:
            right = hashes.verify(
                self._text(row, "password_hash"),
                password,
                salt=self._text(row, "salt"),
                scheme=scheme,
            )
        except hashes.UnsupportedHashError as error:
            return self._unsupported(key, str(error))
        return self._match(row, key) if right else Mismatch()

    def _match(self, row: Mapping[str, Any], key: str) -> Match:
        texts = {
            name: self._text(row, name)
            for name in (
                *("given_name", "family_name", "street_address", "postal_code"),
                *("locality", "country"),
            )
        }
        return Match(
            source=self.name,
            key=key,
            profile=Profile(birthdate=_date(self._value(row, "birthdate")), **texts),
            email=self._text(row, "email"),
            phone=self._text(row, "phone"),
            locked=_flag(self._value(row, "locked")),
            must_change=_flag(self._value(row, "must_change")),
        )

    def _unsupported(self, key: str, reason: str) -> Unsupported:
        _log.error("password_cannot_be_checked", source=self.name, key=key, reason=reason)
        return Unsupported(self.name, key, reason)

    def _value(self, row: Mapping[str, Any], name: str) -> object:
        return row.get(self._options.columns.get(name, name))

    def _text(self, row: Mapping[str, Any], name: str) -> str:
        return _as_text(self._value(row, name))


def _doubt(rows: list[Mapping[str, Any]], key: str) -> str | None:
    """Why nobody can be signed in with these rows."""
    if len(rows) > 1:
        return "several rows for one identifier"
    if not key:
        return "no key"
    return "key longer than 255 characters" if len(key) > _LONGEST_KEY else None


def _as_text(value: object) -> str:
    """A column's value; drivers give some columns as bytes."""
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).decode("utf-8", "replace")
    return "" if value is None else str(value)


def _can_be_asked(identifier: str) -> bool:
    """False for what no database can hold: NUL, lone surrogates, endless text."""
    try:
        identifier.encode()
    except UnicodeEncodeError:
        return False
    return 0 < len(identifier) <= _LONGEST_IDENTIFIER and "\x00" not in identifier


def _engine(options: SqlOptions) -> Engine:
    """Read-only, and with an end to every wait. Raises ValueError for an engine we cannot hold to that."""
    url, seconds = make_url(options.url), options.timeout
    milliseconds = int(seconds * 1000)
    arguments: dict[str, Any]
    match url.get_backend_name():
        case "sqlite":
            url, arguments = _existing(url), {"timeout": seconds, "check_same_thread": False}
        case "postgresql":
            arguments = {
                "connect_timeout": max(1, int(seconds)),
                "tcp_user_timeout": milliseconds,
                "options": f"-c statement_timeout={milliseconds} -c default_transaction_read_only=on",
            }
        case other:
            raise ValueError(f"{other} is neither SQLite nor PostgreSQL, the engines known so far")
    return create_engine(
        url,
        connect_args=arguments,
        pool_pre_ping=True,
        pool_timeout=seconds,
        hide_parameters=True,
    )


def _existing(url: URL) -> URL:
    """A file that SQLite opens but never makes: a wrong path is an error, not an empty store."""
    if url.database in {None, "", ":memory:"}:
        return url
    path = quote(str(Path(str(url.database)).absolute()))
    return url.set(database=f"file:{path}", query={"mode": "ro", "uri": "true"})


def _date(value: object) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value)[:10]) if value else None
    except ValueError:
        return None


def _flag(value: object) -> bool:
    return _as_text(value).strip().lower() not in _FALSE
