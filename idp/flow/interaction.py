"""The interaction: one authorization request in one browser, and what that browser has proven."""

import enum
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, delete, select, update
from sqlalchemy.orm import Mapped, mapped_column

from idp import clock
from idp.challenges import issue
from idp.errors import PageError
from idp.extensions import Base, affected, db, settings
from idp.legacy.source import Proof
from idp.security import throttle, tokens
from idp.security.throttle import Budget

BINDS_WITHIN = timedelta(minutes=1)
_BUDGET_PER = timedelta(minutes=10)


class Notice(enum.StrEnum):
    """Something that happened and that the next page says first.

    SMS_FAILED: a code that could not go by SMS went by e-mail. SMS_UNSENT: it went nowhere.
    """

    EMAIL_TAKEN = "email-taken"
    ALREADY_MIGRATED = "already-migrated"
    CASE_STOPPED = "case-stopped"
    SEND_REFUSED = "send-refused"
    SMS_FAILED = "sms-failed"
    SMS_UNSENT = "sms-unsent"
    RECOVERED = "recovered"
    RECOVERY_OVER = "recovery-over"
    PASSWORD_CHANGED = "password-changed"
    EMAIL_CHANGED = "email-changed"


class Interaction(Base):
    """An authorization request while the user is on our pages. It ends at `expires_at`, whatever happens.

    The first factor of a sign-in: `password_…`. Proofs of a migration: `legacy_…` (the legacy
    password or what stands for it), `email_…` (the mailbox), `phone_…`. Those of a recovery: `recovery_…`.
    They are worth something in this browser only.
    """

    __tablename__ = "interaction"

    id: Mapped[str] = mapped_column(String(43), primary_key=True)
    browser: Mapped[str] = mapped_column(String(64), index=True)
    # None: for our own pages. It never leads to a code.
    client_id: Mapped[int | None] = mapped_column(
        ForeignKey("client.id", ondelete="CASCADE"), index=True
    )
    request: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    expires_at: Mapped[datetime] = mapped_column(index=True)

    locale: Mapped[str] = mapped_column(String(8), default="fr")
    # Something that the next page should say first (see `Notice`).
    notice: Mapped[Notice | None]

    # What was typed last, shown again.
    identifier: Mapped[str] = mapped_column(String(254), default="")

    # The first factor of an account, and the epoch it was checked under.
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    password_verified_at: Mapped[datetime | None]
    password_epoch: Mapped[int | None]
    # Both factors, in this interaction.
    authentication_id: Mapped[int | None] = mapped_column(
        ForeignKey("authentication.id"), index=True
    )

    # What whoever is signed in answered in this interaction: to the terms, to the client's wishes.
    terms_accepted_at: Mapped[datetime | None]
    consented_at: Mapped[datetime | None]
    refused_at: Mapped[datetime | None]

    # Proofs of a migration.
    case_id: Mapped[int | None] = mapped_column(
        ForeignKey("migration_case.id", ondelete="SET NULL"), index=True
    )
    # When all was shown that `legacy_proof` names; the contact on record, where it was, or is, asked.
    legacy_verified_at: Mapped[datetime | None]
    legacy_proof: Mapped[Proof | None]
    legacy_contact: Mapped[str | None] = mapped_column(String(254))
    legacy_password_hash: Mapped[str | None] = mapped_column(String(255))
    email_proven: Mapped[str | None] = mapped_column(String(254))
    address_confirmed_at: Mapped[datetime | None]
    phone_proven: Mapped[str | None] = mapped_column(String(16))
    migrated_account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    done_left_at: Mapped[datetime | None]
    # Whose the proven address is already; when their owner said «C’est aussi mon compte».
    holder_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    joining_at: Mapped[datetime | None]

    # «Mot de passe oublié»: when it was pressed; whose mailbox answered then, under which epoch; whose phone.
    recovery_asked_at: Mapped[datetime | None]
    recovery_account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    recovery_epoch: Mapped[int | None]
    recovery_phone: Mapped[str | None] = mapped_column(String(16))
    # The new mailbox of whoever was invited back.
    recovery_email: Mapped[str | None] = mapped_column(String(254))
    # Whose old password was forgotten, and what the old system says of them.
    forgotten_identity_id: Mapped[int | None] = mapped_column(
        ForeignKey("legacy_identity.id"), index=True
    )
    forgotten_profile: Mapped[dict[str, Any] | None] = mapped_column(JSON)

    # When the page for invitations was opened; the one that was used here.
    invitation_asked_at: Mapped[datetime | None]
    invitation_id: Mapped[int | None] = mapped_column(ForeignKey("invitation.id"), index=True)

    @property
    def acr_values(self) -> list[str]:
        """Levels that the relying party would like, best first (OIDC Core 3.1.2.1)."""
        wanted: list[str] = self.request.get("acr_values", [])
        return wanted


UNBOUND = ""
"""Stands for the browser until it shows itself: a cross-site POST brings none of its cookies."""


def open_interaction(
    client_id: int | None, browser: str, request: Mapping[str, Any], *, locale: str
) -> Interaction:
    """Store a checked authorization request. `client_id` is the row id, None for our own pages;
    `browser` the cookie's digest or UNBOUND."""
    interaction = Interaction(
        id=tokens.new_token(),
        browser=browser,
        client_id=client_id,
        request=dict(request),
        locale=locale,
        expires_at=clock.now() + settings.interaction_lifetime,
    )
    db.session.add(interaction)
    return interaction


def admit(network: str) -> None:
    """Count one more that is stored for somebody who has shown nothing yet; in the caller's transaction.

    Raises PageError when their network has too many.
    """
    budget = Budget(f"interactions:{network}", settings.interactions_per_network, _BUDGET_PER)
    if throttle.reserve(budget):
        raise PageError(
            "Trop de connexions ont été commencées depuis votre réseau. Réessayez dans quelques minutes.",
            status=429,
        )


def bind(interaction_id: str, browser: str) -> bool:
    """Give an unbound interaction to a browser, once, right after it was stored: True when it was this one."""
    return bool(
        affected(
            update(Interaction)
            .where(Interaction.id == interaction_id, Interaction.browser == UNBOUND)
            .where(Interaction.created_at > clock.now() - BINDS_WITHIN)
            .values(browser=browser)
        )
    )


def waiting_for(interaction_id: str) -> int | None:
    """Row id of the client whose request still waits for a browser; None when there is none, or no more."""
    return db.session.scalar(
        select(Interaction.client_id)
        .where(Interaction.id == interaction_id, Interaction.browser == UNBOUND)
        .where(Interaction.created_at > clock.now() - BINDS_WITHIN)
    )


def forget_client(client_id: int) -> None:
    """End every interaction that began at this application (row id). In the caller's transaction."""
    db.session.execute(delete(Interaction).where(Interaction.client_id == client_id))


def load(interaction_id: str, browser: str) -> Interaction | None:
    """The interaction, for its own browser only. It may have expired: see `expired`."""
    return db.session.scalar(
        select(Interaction).where(Interaction.id == interaction_id, Interaction.browser == browser)
    )


def client_of(interaction_id: str) -> int | None:
    """Row id of the client that began it, whichever browser asks: enough to show the way back."""
    return db.session.scalar(select(Interaction.client_id).where(Interaction.id == interaction_id))


def expired(interaction: Interaction) -> bool:
    """True when its time is over; nothing goes on from here."""
    return interaction.expires_at <= clock.now()


def restart(interaction: Interaction) -> Interaction:
    """The same request in the same browser, with nothing proven and no more time than before."""
    fresh = open_interaction(
        interaction.client_id,
        interaction.browser,
        interaction.request,
        locale=interaction.locale,
    )
    fresh.expires_at = interaction.expires_at
    fresh.identifier = interaction.identifier
    return fresh


def forget_sign_in(interaction: Interaction) -> None:
    """Drop whoever signed in here, first factor, code and authentication; migration proofs stay."""
    issue.close_current(interaction.id)
    interaction.account_id = None
    interaction.password_verified_at = None
    interaction.password_epoch = None
    interaction.authentication_id = None
    interaction.terms_accepted_at = None
    interaction.consented_at = None
    interaction.refused_at = None
    interaction.notice = None


def stand_on(interaction: Interaction, authentication_id: int, account_id: int) -> None:
    """Somebody who is signed in already answers here; what anybody else answered counts no more."""
    forget_sign_in(interaction)
    interaction.authentication_id = authentication_id
    interaction.account_id = account_id


def forget_proofs(interaction: Interaction) -> None:
    """Drop every proof of a migration, invitations included; the case keeps its choices."""
    issue.close_current(interaction.id)
    interaction.case_id = None
    interaction.legacy_verified_at = None
    interaction.legacy_proof = None
    interaction.legacy_contact = None
    interaction.invitation_asked_at = None
    interaction.invitation_id = None
    interaction.legacy_password_hash = None
    interaction.email_proven = None
    interaction.address_confirmed_at = None
    interaction.phone_proven = None
    forget_holder(interaction)
    interaction.notice = None


def leave_case(case_id: int) -> None:
    """What any browser had shown for this case counts no more, wherever it stands; the next page says so."""
    theirs = update(Interaction).where(Interaction.case_id == case_id)
    over = {"case_id": None, "legacy_verified_at": None, "notice": Notice.CASE_STOPPED}
    db.session.execute(theirs.values(**over))


def forget_holder(interaction: Interaction) -> None:
    """Nobody's address is in the way here."""
    interaction.holder_id = None
    interaction.joining_at = None


def forget_recovery(interaction: Interaction) -> None:
    """Drop every proof of a recovery, and that one was asked for."""
    issue.close_current(interaction.id)
    interaction.recovery_asked_at = None
    interaction.recovery_account_id = None
    interaction.recovery_epoch = None
    interaction.recovery_phone = None
    interaction.recovery_email = None
    forget_forgotten(interaction)
    interaction.notice = None


def forget_forgotten(interaction: Interaction) -> None:
    """Nobody's old password is being replaced here."""
    interaction.forgotten_identity_id = None
    interaction.forgotten_profile = None


def purge(limit: int) -> int:
    """Delete up to `limit` interactions whose time is over; how many went."""
    over = select(Interaction.id).where(Interaction.expires_at < clock.now()).limit(limit)
    return affected(delete(Interaction).where(Interaction.id.in_(over)))
