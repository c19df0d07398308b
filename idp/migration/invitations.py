"""Invitations: codes that support hands out, for one person, once. Stored as digests.

One opens the migration of one old identity, or of a newcomer whom no old system knows; or it brings the
owner of an account back who lost the mailbox. Everything runs inside the caller's transaction.
"""

import enum
import re
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, Text, delete, select, update
from sqlalchemy.orm import Mapped, mapped_column, relationship

from idp import clock
from idp.accounts.account import Account
from idp.accounts.addresses import EmailAddress, mask_email
from idp.audit import invitations as told
from idp.delivery import outbox
from idp.delivery.messages import Message
from idp.extensions import Base, RowId, affected, db, settings, unreferred
from idp.legacy import identity as identities
from idp.legacy.identity import LegacyIdentity
from idp.legacy.registry import RESERVED
from idp.migration import cases
from idp.migration.cases import Known
from idp.security import tokens
from idp.security.readable import READABLE

_GROUPS, _LETTERS = 4, 5
"""20 letters of 30: 98 bits, which nobody guesses, not even with the database in hand."""


class InvitationKind(enum.StrEnum):
    """What the code is good for."""

    MIGRATION = "migration"
    NEWCOMER = "newcomer"
    RECOVERY = "recovery"


class Invitation(Base):
    """One code that was handed out. It works until `expires_at`, once, and while nothing changed.

    `identity_id` is whose migration it opens; `account_id` and `epoch` whom it brings back. `email`: the
    address that a newcomer's account will have; of a migration the one on record, which is told.
    `profile` is what the old system said (`Known.as_json`).
    """

    __tablename__ = "invitation"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    kind: Mapped[InvitationKind]
    identity_id: Mapped[int | None] = mapped_column(ForeignKey("legacy_identity.id"), index=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    epoch: Mapped[int | None]
    email: Mapped[str | None] = mapped_column(String(254))
    without_phone: Mapped[bool] = mapped_column(default=False)
    profile: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    reason: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]

    identity: Mapped[LegacyIdentity | None] = relationship()
    account: Mapped[Account | None] = relationship()

    def brings_back(self, owner: Account) -> bool:
        """Whether it was issued for this account as it is now."""
        return (self.account_id, self.epoch) == (owner.id, owner.epoch)

    @property
    def about(self) -> str:
        """The old identity, for the audit; empty for an account's. Of a newcomer no more than a mask."""
        if self.identity is None:
            return ""
        newcomer = self.kind is InvitationKind.NEWCOMER
        key = mask_email(self.email or "") if newcomer else self.identity.key
        return f"{self.identity.source}:{key}"


@dataclass(frozen=True)
class By:
    """Who hands it out, and why."""

    actor: str
    why: str


@dataclass(frozen=True)
class Issued:
    """`code` is known here only, and shown once."""

    code: str
    expires_at: datetime


@dataclass(frozen=True)
class Taken:
    """It is an account's already."""

    sub: str


@dataclass(frozen=True)
class Disputed:
    """The case has to be reopened first."""

    reference: str


def invite_identity(person: Known, email: str | None, by: By) -> Issued | Taken | Disputed:
    """Let somebody migrate without their old password. The address on record, if any, is told."""
    identity = identities.meet_alone(person.source, person.key)
    if identity.account_id is not None:
        return Taken(db.session.get_one(Account, identity.account_id).sub)
    case = cases.of_identity(identity.id)
    if case is not None and case.disputed_at is not None:
        return Disputed(case.reference)
    row = {"identity": identity, "email": email, "profile": person.as_json()}
    issued = _issue(InvitationKind.MIGRATION, by, **row)
    if email:
        _tell(email, "invitation-issued", issued.expires_at)
    return issued


def invite_newcomer(address: EmailAddress, by: By) -> Issued | Taken:
    """Let somebody make an account who has none in any old system; it will have this address."""
    taken = db.session.scalar(select(Account).where(Account.email_key == address.key))
    if taken is not None:
        return Taken(taken.sub)
    identity = identities.meet_alone(RESERVED, address.key)
    if identity.account_id is not None:
        # Its account has another address by now.
        identity = identities.meet_alone(RESERVED, f"{secrets.token_hex(8)}:{address.key}"[:255])
    return _issue(InvitationKind.NEWCOMER, by, identity=identity, email=address.address)


def invite_back(account: Account, by: By, *, without_phone: bool) -> Issued:
    """Let the owner of an account that they hold give it a new address. Telling them is the caller's."""
    row = {"account": account, "epoch": account.epoch, "without_phone": without_phone}
    return _issue(InvitationKind.RECOVERY, by, **row)


def find(text: str) -> Invitation | None:
    """The invitation of a typed code, while it can be used; spaces, dashes and case do not matter."""
    letters = re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", text[:100])).upper()
    invitation = db.session.scalar(
        select(Invitation).where(
            Invitation.digest == tokens.digest(letters),
            Invitation.used_at.is_(None),
            Invitation.expires_at > clock.now(),
        )
    )
    return invitation if invitation and _still_good(invitation) else None


def use(invitation: Invitation) -> bool:
    """Use it up, and tell the address on record; False when somebody was first."""
    now = clock.now()
    used = affected(
        update(Invitation)
        .where(Invitation.id == invitation.id, Invitation.used_at.is_(None))
        .values(used_at=now, profile={})
    )
    if used and invitation.kind is InvitationKind.MIGRATION and invitation.email:
        _tell(invitation.email, "invitation-used", now + settings.alert_lifetime)
    return bool(used)


def withdraw(identity_id: int) -> None:
    """Codes that were handed out for this identity so far work no longer."""
    unused = (Invitation.identity_id == identity_id, Invitation.used_at.is_(None))
    over = update(Invitation).where(*unused, Invitation.expires_at > clock.now())
    db.session.execute(over.values(expires_at=clock.now(), profile={}))


def purge(limit: int) -> int:
    """Delete up to `limit` invitations that work no longer and no page stands on; how many went."""
    over = select(Invitation.id).where(
        Invitation.expires_at < clock.now(), *unreferred(Invitation.id)
    )
    return affected(delete(Invitation).where(Invitation.id.in_(over.limit(limit))))


def _still_good(invitation: Invitation) -> bool:
    if invitation.account is not None:
        return invitation.account.active and invitation.brings_back(invitation.account)
    if invitation.identity is None or invitation.identity.account_id is not None:
        return False
    case = cases.of_identity(invitation.identity.id)
    return case is None or case.disputed_at is None


def _issue(kind: InvitationKind, by: By, **whose: Any) -> Issued:
    """Store a fresh code's digest; former ones for the same person work no longer."""
    groups = ["".join(secrets.choice(READABLE) for _ in range(_LETTERS)) for _ in range(_GROUPS)]
    expires_at = clock.now() + settings.invitation_lifetime
    invitation = Invitation(
        digest=tokens.digest("".join(groups)),
        kind=kind,
        reason=by.why,
        actor=by.actor[:100],
        expires_at=expires_at,
        **whose,
    )
    db.session.add(invitation)
    db.session.flush()
    _replace(invitation)
    contact = mask_email(invitation.email) if invitation.email else ""
    told.invitation_issued(
        sub=invitation.account.sub if invitation.account else None,
        actor=by.actor,
        why=by.why,
        kind=kind,
        about=invitation.about,
        contact=contact,
        without_phone=invitation.without_phone,
    )
    return Issued("-".join(groups), expires_at)


def _replace(invitation: Invitation) -> None:
    same = (
        Invitation.account_id == invitation.account_id
        if invitation.account_id is not None
        else Invitation.identity_id == invitation.identity_id
    )
    others = (same, Invitation.id != invitation.id, Invitation.used_at.is_(None))
    db.session.execute(update(Invitation).where(*others).values(expires_at=clock.now(), profile={}))


def _tell(address: str, template: str, expires_at: datetime) -> None:
    words: dict[str, str | int] = {"service": settings.mail_from_name}
    message = Message("email", address, template, settings.default_locale, words)
    outbox.enqueue(message, expires_at=expires_at, masked=mask_email(address))
