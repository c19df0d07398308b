"""«Mot de passe oublié»: mailbox, phone if there is one, new password, and back to sign-in.

It signs nobody in and makes no authentication. Whether an address is somebody's is told to its mailbox
only: a code that is nobody's is asked for, waited for and refused as any other.
"""

import enum
import time
from dataclasses import dataclass

from idp import clock
from idp.accounts import account as accounts
from idp.accounts import changes
from idp.accounts import password as passwords
from idp.accounts.account import Account
from idp.audit import events
from idp.challenges import issue, verify
from idp.challenges.challenge import Purpose
from idp.challenges.results import CodeRefused, CodeVerified, SendRefused, Sent
from idp.extensions import release, settings
from idp.flow import alerts, codes, floor, tries
from idp.flow.alerts import AlertKind
from idp.flow.enrolment import PasswordRefused
from idp.flow.floor import Busy
from idp.flow.interaction import Notice, forget_proofs, forget_recovery, forget_sign_in
from idp.flow.position import Position, acting, locate
from idp.flow.steps import Step
from idp.security import throttle


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


def ask(position: Position, text: str, network: str) -> Sent | SendRefused | Busy:
    """Send a code to whoever has this address, if anybody; answered no sooner than the floor.

    `network` is where the wish came from.
    """
    with floor.slot() as free:
        if not free:
            return Busy.BUSY
        began = time.monotonic()
        outcome = _ask(position, text, network)
        floor.wait(began)
        return outcome


def _ask(position: Position, text: str, network: str) -> Sent | SendRefused:
    with acting(position) as now:
        now.interaction.identifier = tries.printable(text)
        now.interaction.recovery_account_id = None
        account = _whose(text)
        outcome = codes.send_recovery(now, text, account, network)
        if isinstance(outcome, Sent):
            sub, client_id = account.sub if account else None, now.client.client_id
            events.recovery_asked(sub=sub, client_id=client_id)
        return outcome


def change_address(position: Position) -> None:
    """Go back to the address, which stays filled in."""
    with acting(position) as now:
        issue.close_current(now.interaction.id)


def verify_email(position: Position, code: str) -> Proven | CodeRefused:
    """Check the code from the mailbox; who has a phone gets a second one."""

    def record(now: Position, proof: CodeVerified) -> Proven:
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
    if not changes.set_password(owner.id, owner.epoch, password_hash):
        return RecoveryLost()
    owner = accounts.held(owner.id)
    changes.hold_contacts(owner.id, owner.epoch, clock.now() + settings.contacts_held)
    throttle.clear(verify.in_a_row(owner.id))
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
