"""The migration case, and what is kept of the campaign as a whole."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from idp import clock
from idp.extensions import Base, RowId
from idp.legacy.identity import LegacyIdentity


class MigrationCase(Base):
    """Choices of one person on the way to an account; they wait, on any device, until `expires_at`.

    Whoever resumes on another device proves address and phone again.
    `profile` is the old system's answer (`Profile.as_json`, and the address on record), renewed at every
    legacy sign-in.
    `group_name` is one word of that answer to count by, such as a canton. The moments from `code_sent_at` on
    are first times, for statistics only: no proof, and no step follows from them.
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
    # Somebody said «this was not me»: nothing goes on until support has looked.
    disputed_at: Mapped[datetime | None]

    group_name: Mapped[str | None] = mapped_column(String(64))
    code_sent_at: Mapped[datetime | None]
    mailbox_proven_at: Mapped[datetime | None]
    confirmed_at: Mapped[datetime | None]
    phone_settled_at: Mapped[datetime | None]
    conflict_at: Mapped[datetime | None]

    # Whom to remind: a mailbox that was proven in this case, while it lives.
    reminder_email: Mapped[str | None] = mapped_column(String(254))
    reminder_locale: Mapped[str | None] = mapped_column(String(8))
    # Of the link that stops reminders.
    reminder_digest: Mapped[str | None] = mapped_column(String(64), index=True)
    reminders: Mapped[int] = mapped_column(default=0, server_default="0")
    reminded_at: Mapped[datetime | None]

    identity: Mapped[LegacyIdentity] = relationship()

    @property
    def open(self) -> bool:
        """Whether its owner can go on."""
        over = self.completed_at is not None or self.expires_at <= clock.now()
        return not over and self.disputed_at is None


class CampaignPause(Base):
    """Legacy sign-ins that are refused for a while: of one source, or ("") of all."""

    __tablename__ = "campaign_pause"

    source: Mapped[str] = mapped_column(String(64), primary_key=True)
    paused_at: Mapped[datetime] = mapped_column(default=clock.now)
    until: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(String(200))
    actor: Mapped[str] = mapped_column(String(100))


class CampaignDay(Base):
    """What is left of purged cases, by the day on which they began: how many came how far."""

    __tablename__ = "campaign_day"

    day: Mapped[date] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(String(64), primary_key=True)
    group_name: Mapped[str] = mapped_column(String(64), primary_key=True)
    started: Mapped[int]
    code_sent: Mapped[int]
    proven: Mapped[int]
    confirmed: Mapped[int]
    phone: Mapped[int]
    refused: Mapped[int]
    done: Mapped[int]
    conflicts: Mapped[int]
    abandoned: Mapped[int]


class ReminderStop(Base):
    """An address that wants no reminders, as the digest of its link; kept until `expires_at`."""

    __tablename__ = "reminder_stop"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)
