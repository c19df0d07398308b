"""Whoever lost the mailbox and was invited back: a new address, proven by a code, before the new password.

The other steps are those of `recovery`. Nothing shown here names the account.
"""

import enum

from sqlalchemy.exc import IntegrityError

from idp import clock
from idp.accounts import account as accounts
from idp.accounts import changes
from idp.accounts.account import Account
from idp.accounts.addresses import EmailAddress, email_key, mask_email, parse_email
from idp.accounts.phones import mask_phone
from idp.audit import events
from idp.audit import invitations as told
from idp.challenges import budgets, issue, verify
from idp.challenges.challenge import Channel, NewChallenge, Purpose
from idp.challenges.results import CodeRefused, CodeVerified, SendRefused, Sent
from idp.extensions import db, settings
from idp.flow import alerts, codes
from idp.flow.alerts import AlertKind
from idp.flow.enrolment import CodeAccepted, InputProblem
from idp.flow.interaction import Notice, forget_proofs, forget_recovery
from idp.flow.position import Position, acting, locate
from idp.flow.steps import Step
from idp.migration.invitations import Invitation
from idp.security import throttle


class Restored(enum.Enum):
    """Address and password are new; or the account or the address went to somebody else meanwhile."""

    DONE = "done"
    LOST = "lost"


def give_email(position: Position, text: str, network: str) -> Sent | SendRefused | InputProblem:
    """Send a code to the new address, whoever it may belong to."""
    address = parse_email(text)
    if address is None:
        return InputProblem.INVALID_EMAIL
    with acting(position) as now:
        owner = _owner(now)
        new = NewChallenge(
            purpose=Purpose.EMAIL_CHANGE,
            channel=Channel.EMAIL,
            destination=address.address,
            interaction_id=now.interaction.id,
            browser=now.interaction.browser,
            account_id=owner.id,
            epoch=owner.epoch,
        )
        now.interaction.notice = None
        return issue.open_challenge(
            new, codes.wording_of(now, _template(now, new)), network=network
        )


def change_email(position: Position) -> None:
    """Go back to the address."""
    with acting(position) as now:
        issue.close_current(now.interaction.id)


def verify_email(position: Position, code: str) -> CodeAccepted | CodeRefused:
    """Check the code from the new mailbox; only now is a taken address told."""

    def record(now: Position, proof: CodeVerified) -> CodeAccepted:
        if _taken(now, proof.destination):
            now.interaction.notice = Notice.EMAIL_TAKEN
            return CodeAccepted.TAKEN
        now.interaction.recovery_email = proof.destination
        now.interaction.recovery_phone = None
        after = locate(now.interaction)
        if after.step is Step.RECOVERY_PHONE_CODE and after.owner is not None:
            codes.send_recovery_sms(after, after.owner)
        return CodeAccepted.PROVEN

    return codes.check(position, Purpose.EMAIL_CHANGE, code, record)


def write(now: Position, invitation: Invitation, password_hash: str) -> Restored:
    """New address and new password at once, or neither. Of two that come at once the epoch lets one through.

    A phone that was said to be lost goes. All contacts so far are told, and the new one.
    """
    owner, address = _owner(now), _proven(now)
    old, number = owner.email, owner.phone
    try:
        with db.session.begin_nested():
            changed = changes.set_email(owner.id, owner.epoch, address)
    except IntegrityError:
        now.interaction.recovery_email = None
        now.interaction.notice = Notice.EMAIL_TAKEN
        return Restored.LOST
    owner = accounts.held(owner.id)
    if not changed or not changes.set_password(owner.id, owner.epoch, password_hash):
        return Restored.LOST
    owner = accounts.held(owner.id)
    if invitation.without_phone:
        changes.set_phone(owner.id, owner.epoch, None)
    _settle(now, accounts.held(owner.id), old, number, dropped=invitation.without_phone)
    return Restored.DONE


def _settle(now: Position, owner: Account, old: str, number: str | None, *, dropped: bool) -> None:
    changes.hold_contacts(owner.id, owner.epoch, clock.now() + settings.contacts_held)
    throttle.clear(*verify.at_sign_in(owner.id))
    budgets.renew(owner.email)
    told.brought_back(
        sub=owner.sub,
        old=mask_email(old),
        new=mask_email(owner.email),
        client_id=now.client.client_id,
        by_sms=now.interaction.recovery_phone is not None,
    )
    if dropped and number:
        events.phone_changed(sub=owner.sub, old=mask_phone(number), new="")
    alerts.tell(owner, AlertKind.BROUGHT_BACK, emails=(old, owner.email), number=number)
    forget_recovery(now.interaction)
    forget_proofs(now.interaction)
    now.interaction.identifier = owner.email
    now.interaction.notice = Notice.RECOVERED


def _taken(now: Position, address: str) -> bool:
    other = accounts.by_email_key(email_key(address))
    return other is not None and other.id != _owner(now).id


def _template(now: Position, new: NewChallenge) -> str:
    return "address-taken" if _taken(now, new.destination) else new.purpose


def _proven(now: Position) -> EmailAddress:
    address = now.interaction.recovery_email
    assert address is not None, "the step before proves the mailbox"
    return EmailAddress(address, email_key(address))


def _owner(now: Position) -> Account:
    assert now.owner is not None, "these steps follow an invitation for an account"
    return now.owner
