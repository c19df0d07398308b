"""Who learns of a migration besides whoever does it: the contact that the old system has on record.

Each notice has a link that stops what it tells of (see `alerts`).
"""

from datetime import timedelta

from idp import clock
from idp.accounts import changes
from idp.accounts.account import Account
from idp.accounts.addresses import email_key, mask_email
from idp.challenges import budgets
from idp.challenges.challenge import Channel
from idp.extensions import settings
from idp.flow import alerts
from idp.flow.alerts import AlertKind
from idp.flow.on_record import Contact, contact_of
from idp.flow.position import Position
from idp.legacy.source import Proof
from idp.migration import cases
from idp.migration.models import MigrationCase
from idp.security import throttle
from idp.security.throttle import Budget

_PAUSE = timedelta(days=1)
"""Of one case the contact on record hears no more often that it goes on."""


def old_contact(case: MigrationCase) -> Contact | None:
    """Where the old system reaches the person, while the case is open."""
    return contact_of(*cases.on_record(case))


def begun(now: Position, address: str) -> None:
    """Somebody came with the old password alone and gave an address that is not the one on record."""
    case, proof = now.case, now.interaction.legacy_proof
    contact = old_contact(case) if case and proof is Proof.PASSWORD else None
    if case is None or contact is None or _same(contact, address):
        return
    by_sms = contact.channel is Channel.SMS
    if budgets.admit_notice(contact.destination, by_sms=by_sms, within=(_once(case),)):
        alerts.tell_of_case(case, contact, now.interaction.locale, chosen=mask_email(address))


def anew(case: MigrationCase) -> None:
    """The case begins again: so does what its contact hears of it, at once."""
    throttle.clear(_once(case))


def _once(case: MigrationCase) -> Budget:
    return Budget(f"case-told:{case.id}", 1, _PAUSE)


def done(account: Account, case: MigrationCase, old: Contact | None, *, by_password: bool) -> None:
    """The account is there. Whoever came with the old password alone cannot change its contacts for a while:
    it may have been somebody else's."""
    if by_password:
        changes.hold_contacts(account.id, account.epoch, clock.now() + settings.contacts_held)
    _tell(account, AlertKind.MIGRATED, case, old)


def joined(account: Account, case: MigrationCase, old: Contact | None) -> None:
    """An old identity is an account's that was there before."""
    _tell(account, AlertKind.JOINED, case, old)


def _tell(account: Account, kind: AlertKind, case: MigrationCase, old: Contact | None) -> None:
    """The account's address and the contact on record, each once."""
    other = old if old and not _same(old, account.email) else None
    by_mail = other is not None and other.channel is Channel.EMAIL
    emails = (account.email, *([other.destination] if other and by_mail else []))
    number = other.destination if other and not by_mail else None
    if number is not None and not budgets.admit_notice(number, by_sms=True):
        number = None
    alerts.tell(account, kind, emails=emails, number=number, case=case)


def _same(contact: Contact, address: str) -> bool:
    return contact.channel is Channel.EMAIL and email_key(contact.destination) == email_key(address)
