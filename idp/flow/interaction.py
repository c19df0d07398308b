"""The interaction: one authorization request in one browser, and what that browser has proven."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from idp import clock
from idp.extensions import Base


class Interaction(Base):
    """An authorization request while the user is on our pages. It ends at `expires_at`, whatever happens.

    Proofs of a second factor sign-in: `password_…`. Proofs of a migration: `legacy_…` (the legacy
    password), `email_…` (the mailbox), `phone_…`. They are worth something in this browser only.
    """

    __tablename__ = "interaction"

    id: Mapped[str] = mapped_column(String(43), primary_key=True)
    browser: Mapped[str] = mapped_column(String(64), index=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("client.id", ondelete="CASCADE"), index=True)
    request: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    expires_at: Mapped[datetime] = mapped_column(index=True)

    # What was typed last, shown again.
    identifier: Mapped[str] = mapped_column(String(254), default="")

    # The first factor of an account.
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    password_verified_at: Mapped[datetime | None]
    password_epoch: Mapped[int | None]
    # Both factors, in this interaction.
    authentication_id: Mapped[int | None] = mapped_column(ForeignKey("authentication.id"), index=True)
    # The answer went back to the client.
    answered_at: Mapped[datetime | None]

    # Proofs of a migration.
    case_id: Mapped[int | None] = mapped_column(ForeignKey("migration_case.id"), index=True)
    legacy_verified_at: Mapped[datetime | None]
    legacy_password_hash: Mapped[str | None] = mapped_column(String(255))
    email_proven: Mapped[str | None] = mapped_column(String(254))
    email_taken: Mapped[bool] = mapped_column(default=False)
    address_confirmed_at: Mapped[datetime | None]
    phone_proven: Mapped[str | None] = mapped_column(String(16))
    migrated_account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    done_left_at: Mapped[datetime | None]
