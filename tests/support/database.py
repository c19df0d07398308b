"""A database for tests: migrated once, emptied after each."""

import sqlite3
from datetime import UTC, datetime

from sqlalchemy import event

from idp import schema
from idp.clients import registry
from idp.extensions import Base, db, transaction
from idp.keys import signing
from idp.keys.models import SigningKey

_RESTART = """SELECT setval(sequencename::regclass, 1, false) FROM pg_sequences
WHERE last_value IS NOT NULL AND NOT starts_with(sequencename, 'signing_key')"""
"""Numbers begin at 1 again. Deleting few rows takes a third of the time of TRUNCATE."""


def prepare() -> None:
    """Every table, and keys that sign."""
    schema.upgrade()
    with transaction():
        for alg in signing.USUAL:
            _make_ageless(signing.create(signing.new_pair(alg)))


def unsettle() -> None:
    """Rows that nobody ordered come in another order than that in which they went in."""
    if db.engine.dialect.name == "sqlite":

        @event.listens_for(db.engine, "connect")
        def _reverse(connection: sqlite3.Connection, _record: object) -> None:
            connection.execute("PRAGMA reverse_unordered_selects=ON")


def clean() -> None:
    """Empty every table but the signing keys', and with them what is remembered of clients."""
    registry._cache.forget()
    kept = {"signing_key", "cache_version", "pairwise_salt"}
    tables = [table for table in reversed(Base.metadata.sorted_tables) if table.name not in kept]
    with db.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            everything = "; ".join(f'DELETE FROM "{table.name}"' for table in tables)
            connection.exec_driver_sql(f"{everything}; {_RESTART}")
            return
        for table in tables:
            connection.execute(table.delete())


def _make_ageless(key: SigningKey) -> None:
    """Tests travel in time; the keys they share must sign everywhere."""
    key.activate_at = datetime(2000, 1, 1, tzinfo=UTC)
    key.expire_at = key.retire_at = key.known_until = datetime(2100, 1, 1, tzinfo=UTC)
