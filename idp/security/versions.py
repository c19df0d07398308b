"""Per-process caches of rows that change rarely (clients, signing keys), refreshed by a version row.

Security state (sessions, tokens, epochs, throttles) never goes through here.
"""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from sqlalchemy import String, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Mapped, mapped_column

from idp.extensions import Base, db

T = TypeVar("T")

FRESH_FOR = 2.0
"""Seconds for which a process trusts its copy before it looks at the version row again."""


class CacheVersion(Base):
    """How often something was changed."""

    __tablename__ = "cache_version"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    version: Mapped[int]


def bump(name: str) -> None:
    """Say that something changed, in the transaction that changes it."""
    insert = postgresql_insert if db.engine.dialect.name == "postgresql" else sqlite_insert
    statement = insert(CacheVersion).values(name=name, version=1)
    db.session.execute(
        statement.on_conflict_do_update(
            index_elements=[CacheVersion.name], set_={"version": CacheVersion.version + 1}
        )
    )


class VersionedCache(Generic[T]):
    """One value per database, loaded again when its version moved."""

    def __init__(self, name: str, load: Callable[[], T]) -> None:
        self._name = name
        self._load = load
        self._lock = threading.Lock()
        self._kept: dict[int, tuple[float, int, T]] = {}

    def get(self) -> T:
        """The value: at most `FRESH_FOR` seconds behind the database."""
        engine = id(db.engine)
        kept = self._kept.get(engine)
        if kept and time.monotonic() - kept[0] < FRESH_FOR:
            return kept[2]
        with self._lock:
            version = db.session.scalar(
                select(CacheVersion.version).where(CacheVersion.name == self._name)
            )
            value = kept[2] if kept and kept[1] == (version or 0) else self._load()
            self._kept[engine] = (time.monotonic(), version or 0, value)
            return value

    def forget(self) -> None:
        """Load again at the next look, in this process; after a change made here."""
        self._kept.clear()
