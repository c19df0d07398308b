"""An old user store in a SQL database: one SELECT by identifier, one hash compared here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import structlog
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from idp.accounts.profile import Profile
from idp.legacy import hashes
from idp.legacy.source import (
    Answer,
    Claimed,
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

_TRUE = {"1", "t", "true", "y", "yes", "o", "oui"}
_LONGEST_IDENTIFIER = 254


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

    def authenticate(
        self, identifier: str, password: str, is_claimed: Callable[[str], bool]
    ) -> Answer:
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
        if len(rows) > 1 or not key:
            return self._unsupported(
                key, "no key" if not key else "several rows for one identifier"
            )
        return Claimed() if is_claimed(key) else self._compare(rows[0], key, password)

    def ping(self) -> bool:
        """See `LegacySource.ping`."""
        try:
            with self._engine.connect() as connection:
                connection.execute(text("SELECT 1"))
        except SQLAlchemyError:
            return False
        return True

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
        value = self._value(row, name)
        return "" if value is None else str(value)


def _can_be_asked(identifier: str) -> bool:
    """False for what no database can hold: NUL, lone surrogates, endless text."""
    try:
        identifier.encode()
    except UnicodeEncodeError:
        return False
    return 0 < len(identifier) <= _LONGEST_IDENTIFIER and "\x00" not in identifier


def _engine(options: SqlOptions) -> Engine:
    seconds = options.timeout
    arguments: dict[str, Any] = {}
    if options.url.startswith("sqlite"):
        arguments = {"timeout": seconds, "check_same_thread": False}
    elif options.url.startswith("postgresql"):
        wait = f"-c statement_timeout={int(seconds * 1000)}"
        arguments = {"connect_timeout": max(1, int(seconds)), "options": wait}
    return create_engine(
        options.url,
        connect_args=arguments,
        pool_pre_ping=True,
        pool_timeout=seconds,
        hide_parameters=True,
    )


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
    return value is True or str(value).strip().lower() in _TRUE
