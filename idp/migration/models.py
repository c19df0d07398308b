"""The migration case."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from idp import clock
from idp.extensions import Base, RowId
from idp.legacy.identity import LegacyIdentity


class MigrationCase(Base):
    """Choices of one person on the way to an account; they wait, on any device, until `expires_at`.

    Whoever resumes on another device proves address and phone again.
    `profile` is the old system's answer (`Profile.as_json`), renewed at every legacy sign-in.
    """

    __tablename__ = "migration_case"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    identity_id: Mapped[int] = mapped_column(ForeignKey("legacy_identity.id"), unique=True)
    reference: Mapped[str] = mapped_column(String(16), unique=True)
    email: Mapped[str | None] = mapped_column(String(254))
    phone: Mapped[str | None] = mapped_column(String(16))
    phone_refused_at: Mapped[datetime | None]
    profile: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now, onupdate=clock.now)
    expires_at: Mapped[datetime] = mapped_column(index=True)
    completed_at: Mapped[datetime | None]

    identity: Mapped[LegacyIdentity] = relationship()
