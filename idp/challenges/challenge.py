"""The challenge: one one-time code for one purpose, one destination, one browser."""

import enum
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from idp import clock
from idp.extensions import Base, RowId


class Purpose(enum.StrEnum):
    """What a right code proves."""

    EMAIL_ENROLMENT = "email-enrolment"
    PHONE_ENROLMENT = "phone-enrolment"
    SECOND_FACTOR = "second-factor"
    RECOVERY_EMAIL = "recovery-email"
    RECOVERY_SMS = "recovery-sms"
    LEGACY_CONTACT = "legacy-contact"
    EMAIL_CHANGE = "email-change"
    PHONE_CHANGE = "phone-change"


class Channel(enum.StrEnum):
    """How a code travels."""

    EMAIL = "email"
    SMS = "sms"


class Challenge(Base):
    """One code. Everything but the counters of sending is fixed at birth; another value needs another row.

    `secret` is wrapped. `interaction_id`, `case_id` and `identity_id` belong to others and are no foreign
    keys: a challenge outlives them as the evidence under an authentication.
    """

    __tablename__ = "challenge"
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    purpose: Mapped[Purpose]
    channel: Mapped[Channel]
    destination: Mapped[str] = mapped_column(String(254))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    epoch: Mapped[int | None]
    case_id: Mapped[int | None]
    # Of an old system's person who forgot the old password: `destination` is what was typed, and what
    # everything is counted under; the message goes to the contact on record, `deliver_to`.
    identity_id: Mapped[int | None]
    deliver_to: Mapped[str | None] = mapped_column(String(254))
    interaction_id: Mapped[str] = mapped_column(String(43), index=True)
    browser: Mapped[str] = mapped_column(String(64))
    # Asked for where both factors of this account were shown before; counted apart from strangers' wishes.
    known_browser: Mapped[bool] = mapped_column(default=False)
    secret: Mapped[str] = mapped_column(Text)
    counter: Mapped[int]
    emissions: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    sent_at: Mapped[datetime | None]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    verified_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]

    @property
    def decoy(self) -> bool:
        """True when the code is nobody's: it is never sent and never right, and looks like any other."""
        return self.account_id is None and self.case_id is None and self.identity_id is None

    __table_args__ = (
        Index(
            "uq_challenge_current",
            "interaction_id",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
    )


@dataclass(frozen=True)
class NewChallenge:
    """What a challenge fixes at birth. `account_id` and `epoch`, `case_id`, or `identity_id`, say whose it is.

    With none it is nobody's: see `Challenge.decoy`.
    """

    purpose: Purpose
    channel: Channel
    destination: str
    interaction_id: str
    browser: str
    account_id: int | None = None
    epoch: int | None = None
    case_id: int | None = None
    identity_id: int | None = None
    deliver_to: str | None = None
    known_browser: bool = False
