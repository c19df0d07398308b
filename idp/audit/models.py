"""The audit row."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, String
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
