"""An old user store in a SQL database: one SELECT by identifier, one hash compared here."""

from collections.abc import Generator, Mapping
from datetime import UTC
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import structlog
from pydantic import ConfigDict, Field, field_validator
from sqlalchemy import URL, Engine, bindparam, create_engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.types import NullType

from idp.extensions import parse_url
from idp.legacy import rows
from idp.legacy.hashed import HashedSource
from idp.legacy.rows import HashedOptions, Row
from idp.legacy.source import (
    Migrated,
    NotTakenError,
    Secret,
)

_log = structlog.get_logger("seuil.legacy")

_NOBODY = "\x7f"
"""An identifier that no row has."""
_TOLD = {"key", "identifier", "sub", "migrated_at"}
"""What `on_migrated` can be given."""


class SqlOptions(HashedOptions):
    """`query` selects by `:identifier`; `columns` maps our words to its columns, and other words to columns
    that are kept as attributes; `list` selects everybody, for `idp legacy audit`. `on_migrated` is a statement
    that closes the old door of `:key` or `:identifier`; it may also take `:sub` and `:migrated_at` (UTC)."""

    model_config = ConfigDict(populate_by_name=True)

    type: Literal["sql"] = "sql"
    url: Secret
    query: str
    columns: Mapping[str, str] = Field(default_factory=dict)
    listing: str | None = Field(None, alias="list")
    on_migrated: str | None = None

    @field_validator("query")
    @classmethod
    def _by_identifier(cls, query: str) -> str:
        if ":identifier" not in query:
            raise ValueError("query must select by :identifier")
        return query

    @field_validator("on_migrated")
    @classmethod
    def _of_one_row(cls, statement: str | None) -> str | None:
        named = set(text(statement or ":key").compile().params)
        if not named & {"key", "identifier"}:
            raise ValueError("must name its row by :key or :identifier")
        if named - _TOLD:
            raise ValueError(f"knows only {', '.join(f':{name}' for name in sorted(_TOLD))}")
        return statement


class SqlSource(HashedSource):
    """Reads one row at a time, with bound parameters only. Writes nothing but what `on_migrated` says, over a
    connection of its own."""

    options: SqlOptions

    def __init__(self, options: SqlOptions) -> None:
        self.options = options
        self._engine = _engine(options)

    def problem(self) -> str | None:
        """See `LegacySource.problem`: asks the configured query for nobody."""
        try:
            with self._engine.connect() as connection:
                columns = connection.execute(
                    text(self.options.query), {"identifier": _NOBODY}
                ).keys()
        except SQLAlchemyError as error:
            reason = str(getattr(error, "orig", None) or error).strip().splitlines()
            return f"does not answer: {reason[0] if reason else type(error).__name__}"
        needed = {name: self.options.columns.get(name, name) for name in ("key", "password_hash")}
        needed |= self.options.columns
        lacking = [f"{column} ({name})" for name, column in needed.items() if column not in columns]
        return f"its query gives no column {', '.join(sorted(lacking))}" if lacking else None

    @property
    def listed(self) -> bool:
        """See `Listable.listed`."""
        return self.options.listing is not None

    def rows(self) -> Generator[Row]:
        """See `Listable.rows`: through a cursor of the server, where the driver has one."""
        listed = text(self.options.listing or "")
        with self._engine.connect() as connection:
            found = connection.execution_options(yield_per=500).execute(listed)
            for record in found.mappings():
                yield rows.read(dict(record), self.options.columns)

    def count(self) -> int:
        """See `Listable.count`."""
        listed = text(f"SELECT count(*) FROM ({self.options.listing}) AS listed")  # noqa: S608
        with self._engine.connect() as connection:
            return int(connection.scalar(listed) or 0)

    @property
    def wants_to_know(self) -> bool:
        """See `Informed.wants_to_know`."""
        return self.options.on_migrated is not None

    def tell(self, migrated: Migrated) -> None:
        """See `Informed.tell`. No row changed: the statement is wrong, or the row is gone."""
        at = migrated.at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
        words = {**vars(migrated), "migrated_at": at}
        statement = text(self.options.on_migrated or "")
        named = {name: words[name] for name in statement.compile().params}
        # Of no type, so that the server takes them for what they are compared with, numbers too.
        statement = statement.bindparams(*(bindparam(name, type_=NullType()) for name in named))
        engine = _engine(self.options, writing=True)
        try:
            with engine.begin() as connection:
                changed = connection.execute(statement, named).rowcount
                if changed > 1:
                    raise NotTakenError("changes several rows: nothing was changed")
        except SQLAlchemyError as error:
            raise NotTakenError(type(error).__name__) from None
        finally:
            engine.dispose()
        if changed == 0:
            raise NotTakenError("changed no row")

    def close(self) -> None:
        """See `LegacySource.close`."""
        self._engine.dispose()

    def _found(self, identifier: str) -> list[Row]:
        with self._engine.connect() as connection:
            result = connection.execute(text(self.options.query), {"identifier": identifier})
            found = result.mappings().fetchmany(2)
        return [rows.read(dict(record), self.options.columns) for record in found]


def _engine(options: SqlOptions, *, writing: bool = False) -> Engine:
    """Read-only unless `writing`, and with an end to every wait. Raises ValueError for an engine that we cannot
    hold to that."""
    url = parse_url(options.url.get_secret_value())
    arguments = _arguments(url.get_backend_name(), options.timeout, writing=writing)
    return create_engine(
        _existing(url, "rw" if writing else "ro") if url.get_backend_name() == "sqlite" else url,
        connect_args=arguments,
        pool_pre_ping=True,
        pool_timeout=options.timeout,
        hide_parameters=True,
    )


def _arguments(engine: str, seconds: float, *, writing: bool) -> dict[str, Any]:
    milliseconds = int(seconds * 1000)
    match engine:
        case "sqlite":
            return {"timeout": seconds, "check_same_thread": False}
        case "postgresql":
            read_only = f"-c default_transaction_read_only={'off' if writing else 'on'}"
            return {
                "connect_timeout": max(1, int(seconds)),
                "tcp_user_timeout": milliseconds,
                "options": f"-c statement_timeout={milliseconds} {read_only}",
            }
        case "mysql" | "mariadb":
            return {
                "connect_timeout": max(1, int(seconds)),
                "read_timeout": seconds,
                "write_timeout": seconds,
                "init_command": f"SET SESSION TRANSACTION READ {'WRITE' if writing else 'ONLY'}",
            }
    raise ValueError(f"{engine} is none of the engines that can be held to a time-out here")


def _existing(url: URL, mode: str) -> URL:
    """A file that SQLite opens but never makes: a wrong path is an error, not an empty store."""
    if url.database in {None, "", ":memory:"}:
        return url
    path = quote(str(Path(str(url.database)).absolute()))
    return url.set(database=f"file:{path}", query={"mode": mode, "uri": "true"})
