"""The one short transaction that turns a case into an account."""

import enum
from dataclasses import dataclass

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from idp import clock
from idp.accounts import account as accounts
from idp.accounts.addresses import EmailAddress
from idp.accounts.profile import Profile
from idp.audit import events
from idp.extensions import affected, db
from idp.legacy import identity as identities
from idp.migration import callbacks
from idp.migration.models import MigrationCase


@dataclass(frozen=True)
class NewAccount:
    """What was proven and chosen; the hash is made beforehand, outside the transaction."""

    address: EmailAddress
    phone: str | None
    password_hash: str
    locale: str


class Lost(enum.Enum):
    """Somebody was first."""

    ADDRESS_TAKEN = "address-taken"
    ALREADY_MIGRATED = "already-migrated"


class _LostRaceError(Exception):
    def __init__(self, reason: Lost) -> None:
        super().__init__(reason)
        self.reason = reason


def complete(case: MigrationCase, new: NewAccount) -> accounts.Account | Lost:
    """Write account, credentials and claim, or nothing at all. Runs in the caller's transaction.

    The case is closed first: whoever finishes twice learns that, and not that "somebody" has the address.
    """
    try:
        with db.session.begin_nested():
            profile = Profile.from_json(case.profile)
            _close(case)
            account = _insert(profile, new)
            _claim(case, account)
    except _LostRaceError as lost:
        return lost.reason
    events.migrated(sub=account.sub, source=case.identity.source, reference=case.reference)
    return account


def join(case: MigrationCase, account: accounts.Account) -> bool:
    """Claim the case's identity for an account that was there before; False when somebody was first.
    Runs in the caller's transaction."""
    try:
        with db.session.begin_nested():
            _close(case)
            _claim(case, account)
    except _LostRaceError:
        return False
    return True


def _close(case: MigrationCase) -> None:
    """The choices are the account's from now on; the case keeps none."""
    closed = affected(
        update(MigrationCase)
        .where(
            MigrationCase.id == case.id,
            MigrationCase.completed_at.is_(None),
            MigrationCase.disputed_at.is_(None),
        )
        .values(
            completed_at=clock.now(),
            email=None,
            phone=None,
            profile={},
            reminder_email=None,
            reminder_digest=None,
        )
    )
    if not closed:
        raise _LostRaceError(Lost.ALREADY_MIGRATED)


def _claim(case: MigrationCase, account: accounts.Account) -> None:
    if not identities.claim(case.identity_id, account.id):
        raise _LostRaceError(Lost.ALREADY_MIGRATED)
    callbacks.leave(account.id)


def _insert(profile: Profile, new: NewAccount) -> accounts.Account:
    try:
        return accounts.create(
            address=new.address,
            password_hash=new.password_hash,
            phone=new.phone,
            profile=profile,
            locale=new.locale,
        )
    except IntegrityError as error:
        raise _LostRaceError(Lost.ADDRESS_TAKEN) from error
