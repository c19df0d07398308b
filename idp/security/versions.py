"""Per-process caches of rows that change rarely (clients, signing keys), refreshed by a version row.

Security state (sessions, tokens, epochs, throttles) never goes through here.
"""

import secrets
import threading
from collections.abc import Callable
from time import monotonic
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, String, select
from sqlalchemy.orm import Mapped, mapped_column

from idp.extensions import Base, db, upsert

T = TypeVar("T")

FRESH_FOR = 2.0
"""Seconds for which a process trusts its copy before it looks at the version row again."""


class CacheVersion(Base):
    """A number that is another one after each change.

    Random rather than counted: a process that read its own change before it was rolled back must not
    meet the same number again with somebody else's change.
    """

    __tablename__ = "cache_version"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    version: Mapped[int]


def bump(name: str) -> None:
    """Say that something changed, in the transaction that changes it.

    Whoever else says so waits until that transaction ends.
    """
    version = secrets.randbelow(2**31)
    statement = upsert(CacheVersion).values(name=name, version=version)
    db.session.execute(
        statement.on_conflict_do_update(
            index_elements=[CacheVersion.name], set_={"version": version}
        )
    )


class VersionedCache(Generic[T]):
    """One value per database, loaded again when its version moved."""

    def __init__(self, name: str, load: Callable[[], T]) -> None:
        self._name = name
        self._load = load
        self._lock = threading.Lock()
        self._kept: WeakKeyDictionary[Engine, tuple[float, int | None, T]] = WeakKeyDictionary()

    def get(self) -> T:
        """The value: at most `FRESH_FOR` seconds behind the database."""
        engine = db.engine
        kept = self._fresh(engine)
        if kept is not None:
            return kept[2]
        with self._lock:
            kept = self._fresh(engine)
            if kept is None:
                kept = self._kept[engine] = self._looked_up(engine)
            return kept[2]

    def forget(self) -> None:
        """Load again at the next look, in this process; after a change made here."""
        with self._lock:
            self._kept.clear()

    def _fresh(self, engine: Engine) -> tuple[float, int | None, T] | None:
        kept = self._kept.get(engine)
        return kept if kept and monotonic() - kept[0] < FRESH_FOR else None

    def _looked_up(self, engine: Engine) -> tuple[float, int | None, T]:
        """The version is read before the value, so that a change in between is seen next time."""
        looked = monotonic()
        version = db.session.scalar(
            select(CacheVersion.version).where(CacheVersion.name == self._name)
        )
        stale = self._kept.get(engine)
        value = stale[2] if stale and stale[1] == version else self._load()
        return looked, version, value
