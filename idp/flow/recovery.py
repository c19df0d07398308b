"""«Mot de passe oublié»: mailbox, phone if there is one, new password, and back to sign-in.

It signs nobody in and makes no authentication. Whether an address is somebody's is told to its mailbox
only: a code that is nobody's is asked for, waited for and refused as any other.
"""

import enum
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from idp import clock
from idp.accounts import account as accounts
from idp.accounts import changes
from idp.accounts import password as passwords
from idp.accounts.account import Account, AccountStatus
from idp.accounts.addresses import mask_email
from idp.audit import events
from idp.challenges import budgets, issue, verify
from idp.challenges.challenge import Purpose
from idp.challenges.results import CodeRefused, CodeVerified, SendProblem, SendRefused, Sent
from idp.delivery import outbox
from idp.delivery.messages import Message
from idp.extensions import release, settings
from idp.flow import alerts, codes, floor, forgotten, restore, tries
from idp.flow.alerts import AlertKind
from idp.flow.enrolment import PasswordRefused
from idp.flow.floor import Busy
from idp.flow.interaction import Notice, forget_proofs, forget_recovery, forget_sign_in
from idp.flow.position import Position, acting, locate
from idp.flow.restore import Restored
from idp.flow.steps import Step
from idp.flow.tries import Visitor
from idp.security import throttle

T = TypeVar("T")


class Proven(enum.Enum):
    """A code was right."""

    PROVEN = "proven"


@dataclass(frozen=True)
class Recovered:
    """The new password is the account's; its owner signs in with it."""


@dataclass(frozen=True)
class RecoveryLost:
    """The account changed meanwhile; the next page says so."""


def begin(position: Position) -> None:
    """The button: whatever was proven in this interaction is dropped."""
    with acting(position) as now:
        forget_sign_in(now.interaction)
        forget_proofs(now.interaction)
        forget_recovery(now.interaction)
        now.interaction.recovery_asked_at = clock.now()


def ask(position: Position, text: str, visitor: Visitor) -> Sent | SendRefused | Busy:
    """Send a code to whoever has this address, if anybody; answered no sooner than the floor."""
    return _held_back(position, visitor.network, lambda: _ask(position, text, visitor), text)


def resend(position: Position, network: str) -> Sent | SendRefused | Busy:
    """Send the code for the mailbox again; answered no sooner than the floor, also where nothing was sent."""
    return _held_back(position, network, lambda: codes.resend(position, network))


def _held_back(
    position: Position, network: str, wish: Callable[[], T], text: str | None = None
) -> T | SendRefused | Busy:
    """Fulfil a wish no sooner than the floor. Beyond so many of one network it is refused at once and before
    anything is looked at: those who are held back must not take every slot. `text` is kept to be shown."""
    with acting(position) as now:
        if text is not None:
            now.interaction.identifier = tries.printable(text)
        wait = tries.at_recovery(network).reserve()
    if wait:
        return SendRefused(SendProblem.TOO_SOON, wait)
    with floor.slot() as free:
        if not free:
            return Busy.BUSY
        began = time.monotonic()
        outcome = wish()
        floor.wait(began)
        return outcome


def _ask(position: Position, text: str, visitor: Visitor) -> Sent | SendRefused:
    """The old systems are asked as at a sign-in: only about what is no account's address."""
    is_account = accounts.by_email_key(tries.key_of(text)) is not None
    found = None if is_account else forgotten.look_up(text)
    with acting(position) as now:
        now.interaction.recovery_account_id = None
        account = _whose(text)
        old = forgotten.prepare(now.interaction, None if account else found, text)
        outcome = codes.send_recovery(now, text, account, visitor, old)
        if isinstance(outcome, Sent):
            sub, client_id = account.sub if account else None, now.client.client_id
            events.recovery_asked(sub=sub, client_id=client_id)
            _tell_blocked(text)
        return outcome


def _tell_blocked(text: str) -> None:
    """Whose account is blocked learns it in their mailbox, and nowhere else. Counted as the code would be."""
    account = accounts.by_email_key(tries.key_of(text))
    if account is not None and account.status is AccountStatus.FROZEN:
        words = {"service": settings.mail_from_name}
        mail = Message("email", account.email, "account-blocked", account.locale, words)
        until = clock.now() + settings.code_lifetime
        outbox.enqueue(mail, expires_at=until, masked=mask_email(account.email))


def change_address(position: Position) -> None:
    """Go back to the address, which stays filled in."""
    with acting(position) as now:
        issue.close_current(now.interaction.id)


def verify_email(position: Position, code: str) -> Proven | CodeRefused:
    """Check the code from the mailbox; who has a phone gets a second one. From an old system's: migrate."""

    def record(now: Position, proof: CodeVerified) -> Proven | CodeRefused:
        if proof.identity_id is not None:
            return forgotten.open_case(now.interaction, proof) or Proven.PROVEN
        now.interaction.recovery_account_id = proof.account_id
        now.interaction.recovery_epoch = proof.epoch
        now.interaction.recovery_phone = None
        after = locate(now.interaction)
        if after.step is Step.RECOVERY_PHONE_CODE and after.owner is not None:
            codes.send_recovery_sms(after, after.owner)
        return Proven.PROVEN

    return codes.check(position, Purpose.RECOVERY_EMAIL, code, record)


def verify_phone(position: Position, code: str) -> Proven | CodeRefused:
    """Check the code from the phone."""

    def record(now: Position, proof: CodeVerified) -> Proven:
        now.interaction.recovery_phone = proof.destination
        return Proven.PROVEN

    return codes.check(position, Purpose.RECOVERY_SMS, code, record)


def complete(
    position: Position, password: str, confirmation: str
) -> Recovered | PasswordRefused | RecoveryLost:
    """Choose the new password: hashes first, then one short transaction."""
    owner = _proven(position)
    personal = passwords.personal_words(owner.profile, owner.email)
    present_hash = owner.password_hash
    release()
    problems = passwords.new_password_problems(
        password, confirmation, personal=personal, present_hash=present_hash
    )
    if problems:
        return PasswordRefused(problems)
    password_hash = passwords.hash_password(password)
    with acting(position) as now:
        return _write(now, _proven(now), password_hash)


def _write(now: Position, owner: Account, password_hash: str) -> Recovered | RecoveryLost:
    """Of two that come at once the epoch lets one through."""
    if now.invited_back is not None:
        outcome = restore.write(now, now.invited_back, password_hash)
        return Recovered() if outcome is Restored.DONE else RecoveryLost()
    if not changes.set_password(owner.id, owner.epoch, password_hash):
        return RecoveryLost()
    owner = accounts.held(owner.id)
    changes.hold_contacts(owner.id, owner.epoch, clock.now() + settings.contacts_held)
    throttle.clear(*verify.at_sign_in(owner.id))
    budgets.renew(owner.email)
    by_sms = now.interaction.recovery_phone is not None
    events.recovered(sub=owner.sub, client_id=now.client.client_id, by_sms=by_sms)
    alerts.tell(owner, AlertKind.RECOVERED, by_sms=True)
    forget_recovery(now.interaction)
    now.interaction.identifier = owner.email
    now.interaction.notice = Notice.RECOVERED
    return Recovered()


def _whose(text: str) -> Account | None:
    """The account of an address; nobody's when it is frozen."""
    account = accounts.by_email_key(tries.key_of(text))
    return account if account and account.active else None


def _proven(position: Position) -> Account:
    assert position.owner is not None, "the steps before prove the mailbox"
    return position.owner
