"""What every room shares of the framework: database, translations, settings, the transaction.

Owns the Flask extensions and the way connections behave. Never any table or business word.
"""

import enum
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from flask import Flask, current_app
from flask_babel import Babel
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    CursorResult,
    DateTime,
    Delete,
    Dialect,
    Engine,
    Enum,
    Integer,
    MetaData,
    Table,
    Update,
    event,
    exists,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute
from sqlalchemy.types import TypeDecorator
from werkzeug.local import LocalProxy

from idp.errors import ConfigurationError

if TYPE_CHECKING:
    from config import Settings

_IMMEDIATE = "seuil_immediate"


class UtcDateTime(TypeDecorator[datetime]):
    """A moment: always with its zone in Python, always UTC in the database."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a moment without a zone; store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored moment needs a time zone")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Give the moment back in UTC, with its zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


RowId = BigInteger().with_variant(Integer, "sqlite")
"""Key of a table that grows; SQLite only counts up plain INTEGER keys."""


class Base(DeclarativeBase):
    """Parent of every model."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it as is
        datetime: UtcDateTime,
        enum.StrEnum: Enum(
            enum.StrEnum,
            native_enum=False,
            length=32,
            values_callable=lambda kind: [member.value for member in kind],
        ),
    }


db = SQLAlchemy(metadata=Base.metadata)
migrate = Migrate(db=db)
babel = Babel()
csrf = CSRFProtect()

settings = cast("Settings", LocalProxy(lambda: current_app.extensions["seuil.settings"]))
"""The settings of the running application."""


@contextmanager
def transaction() -> Iterator[None]:
    """One short write transaction: IMMEDIATE on SQLite, committed at the end, undone by an exception.

    What was read before is let go first, so that nobody hashes, waits or calls out while holding a
    connection; re-check it inside with conditional UPDATEs. Does not nest: RuntimeError.
    """
    session = db.session
    if session.info.get("in_write"):
        raise RuntimeError("a transaction does not nest")
    release()
    session.info["in_write"] = True
    try:
        session.connection(execution_options={_IMMEDIATE: True})
        yield
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        session.info.pop("in_write", None)


@contextmanager
def snapshot() -> Iterator[Connection]:
    """One unchanging look at the whole database however others write meanwhile, read in bounded memory."""
    level = {"isolation_level": "REPEATABLE READ"} if db.engine.name == "postgresql" else {}
    with db.engine.connect() as connection:
        yield connection.execution_options(yield_per=500, **level)


def affected(statement: Update | Delete, **parameters: object) -> int:
    """Run a conditional UPDATE or DELETE; how many rows it found. Zero: somebody was first."""
    return cast("CursorResult[Any]", db.session.execute(statement, parameters or None)).rowcount


def upsert(model: type[Base] | Table) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that can say ON CONFLICT; both engines have it, each under its own name."""
    insert = postgresql.insert if db.engine.dialect.name == "postgresql" else sqlite.insert
    return insert(model)


def unreferred(key: InstrumentedAttribute[int]) -> list[ColumnElement[bool]]:
    """Conditions under which no row of any table refers to a row of `key`, found by foreign key."""
    (target,) = key.property.columns
    children = [
        column
        for table in Base.metadata.tables.values()
        for column in table.columns
        if any(foreign.column is target for foreign in column.foreign_keys)
    ]
    return [~exists().where(child == key) for child in children]


def release() -> None:
    """Give the connection back before something slow; pending changes here, or a transaction, are a bug."""
    if db.session.info.get("in_write"):
        raise RuntimeError("something slow inside a transaction")
    if db.session.new or db.session.dirty or db.session.deleted:
        raise RuntimeError("changes made outside a transaction")
    db.session.commit()


def init_database(app: Flask, url: str) -> None:
    """Bind the database and make SQLite behave like a server: WAL, foreign keys, no surprises.

    Raises ConfigurationError for a URL that is none, or an engine or driver that we do not have.
    """
    _check_url(url)
    app.config["SQLALCHEMY_DATABASE_URI"] = _absolute(url)
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = _engine_options(url)
    db.init_app(app)
    migrate.init_app(app)
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            _tame_sqlite(db.engine)


def _check_url(url: str) -> None:
    try:
        dialect = parse_url(url).get_dialect()
        dialect.import_dbapi()
    except (ArgumentError, ValueError) as error:
        raise ConfigurationError(f"IDP_DATABASE_URL: {error}") from None
    except ModuleNotFoundError as error:
        message = f"IDP_DATABASE_URL: its driver {error.name} is not installed"
        raise ConfigurationError(message) from None
    if dialect.name not in {"sqlite", "postgresql"}:
        message = f"IDP_DATABASE_URL: {dialect.name} is neither SQLite nor PostgreSQL"
        raise ConfigurationError(message)


def parse_url(text: str) -> URL:
    """A database's URL. Raises ValueError, which does not say what is in it: a part may be the password."""
    try:
        return make_url(text)
    except (ArgumentError, ValueError):
        raise ValueError(
            "write it like postgresql+psycopg://user:password@host/name, signs in the password percent-encoded"
        ) from None


def _absolute(url: str) -> URL:
    """A relative SQLite file is in the working directory, as for every other program."""
    parsed = parse_url(url)
    in_file = parsed.get_backend_name() == "sqlite" and parsed.database not in {
        None,
        "",
        ":memory:",
    }
    return parsed.set(database=str(Path(str(parsed.database)).absolute())) if in_file else parsed


def _engine_options(url: str) -> dict[str, Any]:
    """`hide_parameters`: a failed statement is logged without what it was given.

    Who waits for SQLite's one write lock has no place in a queue: under load it takes patience.
    """
    if url.startswith("sqlite"):
        return {"connect_args": {"timeout": 30}, "hide_parameters": True}
    pool = {"pool_size": 10, "max_overflow": 10, "pool_timeout": 10, "pool_pre_ping": True}
    return {**pool, "hide_parameters": True}


def _tame_sqlite(engine: Engine) -> None:
    """Begin transactions ourselves, because the driver begins them too late (read, then write)."""

    @event.listens_for(engine, "connect")
    def _connect(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "foreign_keys=ON", "synchronous=NORMAL"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get(_IMMEDIATE)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
