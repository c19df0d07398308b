"""Rows of old systems that were loaded ahead, and how far each load came."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Index, String, Text, UniqueConstraint, func, select, update
from sqlalchemy.orm import Mapped, mapped_column

from idp import clock
from idp.accounts.addresses import folded
from idp.extensions import Base, RowId, db

_LOOKED_THROUGH = 20
"""So many rows of one folded identifier are looked at; more are a doubt anyway."""

ERASED: dict[str, Any] = {
    **dict.fromkeys(("password_hash", "salt", "scheme", "email", "phone", "digest"), ""),
    "profile": {},
    "attributes": {},
}
"""What a copy says of a person once an account holds its identity: nothing but key and identifier."""


class LegacyRow(Base):
    """One person of an old store. `lookup` is the folded identifier, `digest` that of what was loaded;
    `load` and `line` say which load saw it last, and where. `erased_at`: an account holds it since."""

    __tablename__ = "legacy_row"
    __table_args__ = (
        UniqueConstraint("source", "key"),
        Index(None, "source", "lookup"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    source: Mapped[str] = mapped_column(String(64))
    key: Mapped[str] = mapped_column(String(255))
    lookup: Mapped[str] = mapped_column(String(254))
    identifier: Mapped[str] = mapped_column(String(254))
    password_hash: Mapped[str] = mapped_column(Text)
    salt: Mapped[str] = mapped_column(Text)
    scheme: Mapped[str] = mapped_column(Text)
    email: Mapped[str] = mapped_column(Text)
    phone: Mapped[str] = mapped_column(Text)
    profile: Mapped[dict[str, Any]] = mapped_column(JSON)
    attributes: Mapped[dict[str, Any]] = mapped_column(JSON)
    locked: Mapped[bool]
    must_change: Mapped[bool]
    digest: Mapped[str] = mapped_column(String(44))
    load: Mapped[int]
    line: Mapped[int] = mapped_column(BigInteger)
    loaded_at: Mapped[datetime] = mapped_column(default=clock.now)
    erased_at: Mapped[datetime | None]


class LegacyLoad(Base):
    """The last load of a source: of which file, how far it came, and who is at it (`holder`) since when
    they were last seen (`beat`). `position` counts records, `line` the lines of the file."""

    __tablename__ = "legacy_load"

    source: Mapped[str] = mapped_column(String(64), primary_key=True)
    number: Mapped[int] = mapped_column(default=0)
    fingerprint: Mapped[str] = mapped_column(String(64), default="")
    position: Mapped[int] = mapped_column(BigInteger, default=0)
    line: Mapped[int] = mapped_column(BigInteger, default=0)
    counts: Mapped[dict[str, int]] = mapped_column(JSON, default=dict)
    holder: Mapped[str | None] = mapped_column(String(100))
    beat: Mapped[datetime] = mapped_column(default=clock.now)
    finished_at: Mapped[datetime | None]


def lookup_key(identifier: str) -> str:
    """What rows are looked up by: case, blanks around and Unicode forms are no distinctions."""
    return folded(identifier.strip())


def spelt(source: str, identifier: str, *, exactly: bool) -> list[Any]:
    """The rows that an identifier stands for; `exactly`: only those that spell it so. Whatever the
    caller's session is at, it is left alone, and no connection is held afterwards."""
    table = LegacyRow.__table__
    mine = (table.c.source == source, table.c.lookup == lookup_key(identifier))
    with db.engine.connect() as connection:
        found = connection.execute(select(table).where(*mine).limit(_LOOKED_THROUGH)).all()
    return [row for row in found if not exactly or row.identifier == identifier.strip()]


def readable() -> None:
    """Raises SQLAlchemyError where rows cannot be read."""
    with db.engine.connect() as connection:
        connection.execute(select(LegacyRow.id).limit(1))


def count(source: str) -> int:
    """How many rows are loaded."""
    return (
        db.session.scalar(
            select(func.count()).select_from(LegacyRow).where(LegacyRow.source == source)
        )
        or 0
    )


def erase(source: str, key: str) -> None:
    """Forget hash and personal data of a row, in the caller's transaction: an account has them now."""
    db.session.execute(
        update(LegacyRow)
        .where(LegacyRow.source == source, LegacyRow.key == key)
        .values(**ERASED, erased_at=clock.now())
        .execution_options(synchronize_session=False)
    )
