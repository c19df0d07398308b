"""The account: one person, one address, one password, one stable `sub`."""

import enum
import secrets
from datetime import date, datetime

from sqlalchemy import String, Text, select, update
from sqlalchemy.orm import Mapped, mapped_column

from idp import clock
from idp.accounts.addresses import EmailAddress
from idp.accounts.profile import Profile
from idp.extensions import Base, RowId, db


class AccountStatus(enum.StrEnum):
    """Whether the person may sign in. CLOSED is for good: the `sub` is left, so that nobody gets it again."""

    ACTIVE = "active"
    FROZEN = "frozen"
    CLOSED = "closed"


class Account(Base):
    """A person. `epoch` rises whenever all that was given before must die."""

    __tablename__ = "account"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    sub: Mapped[str] = mapped_column(String(43), unique=True)
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254), unique=True)
    password_hash: Mapped[str] = mapped_column(String(255))
    password_changed_at: Mapped[datetime]
    phone: Mapped[str | None] = mapped_column(String(16))
    epoch: Mapped[int] = mapped_column(default=1)
    status: Mapped[AccountStatus] = mapped_column(default=AccountStatus.ACTIVE)
    # Until then e-mail and phone stay as they are (after recovery, or a migration by password only).
    contacts_held_until: Mapped[datetime | None]
    # The version of the deployment's terms that the person accepted last.
    terms_version: Mapped[str | None] = mapped_column(String(50))
    terms_accepted_at: Mapped[datetime | None]
    locale: Mapped[str] = mapped_column(String(8), default="fr")
    given_name: Mapped[str] = mapped_column(Text, default="")
    family_name: Mapped[str] = mapped_column(Text, default="")
    birthdate: Mapped[date | None]
    street_address: Mapped[str] = mapped_column(Text, default="")
    postal_code: Mapped[str] = mapped_column(Text, default="")
    locality: Mapped[str] = mapped_column(Text, default="")
    country: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now, onupdate=clock.now)

    @property
    def active(self) -> bool:
        """True unless the account is frozen or closed."""
        return self.status == AccountStatus.ACTIVE

    @property
    def closed(self) -> bool:
        """True when it is no more."""
        return self.status == AccountStatus.CLOSED

    @property
    def contacts_held(self) -> bool:
        """True while e-mail and phone may not be changed."""
        return self.contacts_held_until is not None and self.contacts_held_until > clock.now()

    @property
    def profile(self) -> Profile:
        """The personal information as one value."""
        return Profile(
            given_name=self.given_name,
            family_name=self.family_name,
            birthdate=self.birthdate,
            street_address=self.street_address,
            postal_code=self.postal_code,
            locality=self.locality,
            country=self.country,
        )


def create(
    *, address: EmailAddress, password_hash: str, phone: str | None, profile: Profile, locale: str
) -> Account:
    """Insert an account with a fresh random `sub` (OIDC Core 8); flushes.

    Raises IntegrityError when the address was taken meanwhile.
    """
    account = Account(
        # Never a dash in front: administrators type it.
        sub=secrets.token_hex(16),
        email=address.address,
        email_key=address.key,
        password_hash=password_hash,
        password_changed_at=clock.now(),
        phone=phone,
        locale=locale,
        **profile.as_columns(),
    )
    db.session.add(account)
    db.session.flush()
    return account


def by_email_key(key: str) -> Account | None:
    """The account whose address has this key (see `addresses`)."""
    return db.session.scalar(select(Account).where(Account.email_key == key))


def held(account_id: int) -> Account:
    """The account as it is now; nobody else changes it until the caller's transaction ends."""
    return db.session.get_one(
        Account, account_id, populate_existing=True, with_for_update={"key_share": True}
    )


def by_id(account_id: int) -> Account | None:
    """The account with this row id."""
    return db.session.get(Account, account_id)


def replace_hash(account_id: int, *, old: str, new: str) -> None:
    """Store a stronger hash of the same password, unless the password changed meanwhile."""
    db.session.execute(
        update(Account)
        .where(Account.id == account_id, Account.password_hash == old)
        .values(password_hash=new)
    )


def by_sub(sub: str) -> Account | None:
    """The account with this `sub`."""
    return db.session.scalar(select(Account).where(Account.sub == sub))


def search(key: str, limit: int) -> list[Account]:
    """At most `limit` accounts whose address key (see `addresses`) contains this, newest first."""
    return list(
        db.session.scalars(
            select(Account)
            .where(Account.email_key.contains(key, autoescape=True))
            .order_by(Account.id.desc())
            .limit(limit)
        )
    )
