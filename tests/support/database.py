"""A database for tests: migrated once, emptied after each."""

from datetime import UTC, datetime

from sqlalchemy import text

from idp import schema
from idp.extensions import Base, db, transaction
from idp.keys import signing
from idp.keys.models import SigningKey


def prepare() -> None:
    """Every table, and keys that sign."""
    schema.upgrade()
    with transaction():
        for alg in signing.ALGORITHMS:
            _make_ageless(signing.create(signing.new_pair(alg)))


def clean() -> None:
    """Empty every table but the signing keys'."""
    kept = {"signing_key", "cache_version"}
    tables = [table for table in reversed(Base.metadata.sorted_tables) if table.name not in kept]
    with db.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            names = ", ".join(f'"{table.name}"' for table in tables)
            connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))
        else:
            for table in tables:
                connection.execute(table.delete())


def _make_ageless(key: SigningKey) -> None:
    """Tests travel in time; the keys they share must sign everywhere."""
    key.activate_at = datetime(2000, 1, 1, tzinfo=UTC)
    key.expire_at = key.retire_at = datetime(2100, 1, 1, tzinfo=UTC)
