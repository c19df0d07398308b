"""The audit row, and the one row that says how far the chain goes."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from idp import clock
from idp.extensions import Base, RowId


class AuditEvent(Base):
    """One event, written in the transaction of what it tells. Never changed, but for its seal.

    `seq` and `mac` are the seal: the place in the chain and the authentication code over it, given
    later by a worker.
    """

    __tablename__ = "audit_event"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    at: Mapped[datetime] = mapped_column(default=clock.now, index=True)
    event: Mapped[str] = mapped_column(String(40), index=True)
    account: Mapped[str | None] = mapped_column(String(43), index=True)
    client: Mapped[str | None] = mapped_column(String(64), index=True)
    actor: Mapped[str] = mapped_column(String(100))
    details: Mapped[dict[str, Any]] = mapped_column(JSON)
    seq: Mapped[int | None] = mapped_column(BigInteger, unique=True)
    mac: Mapped[str | None] = mapped_column(String(64))

    __table_args__ = (
        Index(
            "ix_audit_event_unsealed",
            "id",
            sqlite_where=text("seq IS NULL"),
            postgresql_where=text("seq IS NULL"),
        ),
    )


class AuditChain(Base):
    """The only row: the last sealed event (`seq`, `mac`), and the place that the first one stands on.

    `floor_…` is the last event that was purged. What is left up to `former_seq` was sealed with a key
    that is no more. `tag` authenticates all, so that nobody without the key can say that more is gone.
    """

    __tablename__ = "audit_chain"

    id: Mapped[int] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger)
    mac: Mapped[str] = mapped_column(String(64))
    floor_seq: Mapped[int] = mapped_column(BigInteger)
    floor_mac: Mapped[str] = mapped_column(String(64))
    former_seq: Mapped[int] = mapped_column(BigInteger)
    tag: Mapped[str] = mapped_column(String(64))
