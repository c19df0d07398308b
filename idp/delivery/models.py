"""The outbox row."""

import enum
from datetime import datetime

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from idp import clock
from idp.extensions import Base, RowId


class OutboxStatus(enum.StrEnum):
    """Where a message stands. DEAD: given up, by its recipient's server or by all gateways."""

    WAITING = "waiting"
    SENT = "sent"
    EXPIRED = "expired"
    DEAD = "dead"


class OutboxMessage(Base):
    """One message. `payload` is encrypted, bound to `uid`, and erased on delivery or at `expires_at`.

    `topic` says what the message is about, "kind:id", in words of whoever left it. `reference` is the
    gateway's name for the message, `receipt` what it told of it later.
    """

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_next", "status", "kind", "attempts", "due_at"),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    uid: Mapped[str] = mapped_column(String(43), unique=True)
    kind: Mapped[str] = mapped_column(String(16))
    topic: Mapped[str | None] = mapped_column(String(64))
    status: Mapped[OutboxStatus] = mapped_column(default=OutboxStatus.WAITING)
    payload: Mapped[str | None] = mapped_column(Text)
    recipient: Mapped[str] = mapped_column(String(254))
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime] = mapped_column(default=clock.now)
    leased_by: Mapped[str | None] = mapped_column(String(43))
    expires_at: Mapped[datetime] = mapped_column(index=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    finished_at: Mapped[datetime | None]
    route: Mapped[str | None] = mapped_column(String(32))
    reference: Mapped[str | None] = mapped_column(String(100), index=True)
    receipt: Mapped[str | None] = mapped_column(String(16))
    last_error: Mapped[str | None] = mapped_column(String(300))
