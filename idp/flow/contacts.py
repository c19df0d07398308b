"""Changing the address and the number of one's own account. Nothing changes before the new one answered."""

import enum
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.exc import IntegrityError

from idp.accounts import account as accounts
from idp.accounts import changes
from idp.accounts.account import Account
from idp.accounts.addresses import EmailAddress, email_key, mask_email, parse_email
from idp.accounts.phones import PhoneProblem, mask_phone, parse_phone
from idp.audit import events
from idp.challenges import issue
from idp.challenges.challenge import Challenge, Channel, NewChallenge, Purpose
from idp.challenges.issue import Wording
from idp.challenges.results import CodeRefused, CodeVerified, SendRefused, Sent
from idp.clients import registry
from idp.extensions import db, settings
from idp.flow import alerts, codes
from idp.flow.alerts import AlertKind
from idp.flow.enrolment import InputProblem
from idp.flow.visit import Visit, VisitOverError, visiting


@dataclass(frozen=True)
class ContactsHeld:
    """Address and number stay as they are until then."""

    until: datetime


@dataclass(frozen=True)
class EmailChanged:
    """The new identifier. Every session has ended; the epoch is a new one."""

    email: str
    epoch: int


class Outcome(enum.Enum):
    """TAKEN: the mailbox is proven, but its address is somebody else's."""

    TAKEN = "taken"
    PHONE_CHANGED = "phone-changed"


def awaited(visit: Visit, purpose: Purpose) -> Challenge | None:
    """The code that this session waits for, for this purpose."""
    challenge = issue.current(visit.place.id)
    return challenge if challenge and challenge.purpose is purpose else None


def give_email(
    visit: Visit, text: str, network: str
) -> Sent | SendRefused | InputProblem | ContactsHeld:
    """Send a code to the new address, whoever it may belong to. `network` is where the wish came from."""
    address = parse_email(text)
    if address is None:
        return InputProblem.INVALID_EMAIL
    with visiting(visit) as account:
        held = _held(account)
        new = _challenge(visit, account, Purpose.EMAIL_CHANGE, address.address)
        return held or issue.open_challenge(new, _wording(visit, account, new), network=network)


def verify_email(visit: Visit, code: str) -> EmailChanged | Outcome | ContactsHeld | CodeRefused:
    """Check the code from the new mailbox; only now is the identifier another, or a taken address told."""

    def record(account: Account, proof: CodeVerified) -> EmailChanged | Outcome | ContactsHeld:
        held = _held(account)
        address = EmailAddress(proof.destination, email_key(proof.destination))
        return held or _set_email(account, address)

    return codes.check_in(lambda: visiting(visit), visit.place, Purpose.EMAIL_CHANGE, code, record)


def give_phone(
    visit: Visit, text: str, network: str
) -> Sent | SendRefused | PhoneProblem | ContactsHeld:
    """Send a code to the new number. `network` is where the wish came from."""
    number = parse_phone(text, region=settings.phone_region, countries=settings.sms_countries)
    if isinstance(number, PhoneProblem):
        return number
    with visiting(visit) as account:
        held = _held(account)
        new = _challenge(visit, account, Purpose.PHONE_CHANGE, number)
        return held or issue.open_challenge(new, _wording(visit, account, new), network=network)


def verify_phone(visit: Visit, code: str) -> Outcome | ContactsHeld | CodeRefused:
    """Check the code from the new phone."""

    def record(account: Account, proof: CodeVerified) -> Outcome | ContactsHeld:
        return _held(account) or _set_phone(account, proof.destination)

    return codes.check_in(lambda: visiting(visit), visit.place, Purpose.PHONE_CHANGE, code, record)


def remove_phone(visit: Visit) -> Outcome | ContactsHeld:
    """Codes go by e-mail from now on."""
    with visiting(visit) as account:
        return _held(account) or _set_phone(account, None)


def resend(visit: Visit, network: str) -> Sent | SendRefused | None:
    """Send the awaited code again; None when none is awaited."""
    with visiting(visit) as account:
        challenge = issue.current(visit.place.id)
        if challenge is None:
            return None
        wording = _wording(visit, account, issue.renewal(challenge))
        return issue.resend(challenge, wording, network=network)


def cancel(visit: Visit) -> None:
    """Wait for no code any more."""
    with visiting(visit):
        issue.close_current(visit.place.id)


def _set_email(account: Account, address: EmailAddress) -> EmailChanged | Outcome:
    """Both addresses are told. The epoch rises, so that all that was open ends."""
    old, epoch = account.email, account.epoch
    try:
        with db.session.begin_nested():
            changed = changes.set_email(account.id, epoch, address)
    except IntegrityError:
        return Outcome.TAKEN
    if not changed:
        raise VisitOverError
    events.email_changed(sub=account.sub, old=mask_email(old), new=mask_email(address.address))
    alerts.tell(account, AlertKind.EMAIL_CHANGED, emails=(old, address.address))
    return EmailChanged(address.address, epoch + 1)


def _set_phone(account: Account, number: str | None) -> Outcome:
    """Codes on their way to the former number are dead; it is told."""
    old = account.phone
    if not changes.set_phone(account.id, account.epoch, number):
        raise VisitOverError
    issue.close_all(account.id)
    masked = [mask_phone(one) if one else "" for one in (old, number)]
    events.phone_changed(sub=account.sub, old=masked[0], new=masked[1])
    alerts.tell(account, AlertKind.PHONE_CHANGED, number=old)
    return Outcome.PHONE_CHANGED


def _held(account: Account) -> ContactsHeld | None:
    until = account.contacts_held_until
    return ContactsHeld(until) if until and account.contacts_held else None


def _challenge(visit: Visit, account: Account, purpose: Purpose, destination: str) -> NewChallenge:
    return NewChallenge(
        purpose=purpose,
        channel=Channel.EMAIL if purpose is Purpose.EMAIL_CHANGE else Channel.SMS,
        destination=destination,
        interaction_id=visit.place.id,
        browser=visit.place.browser,
        account_id=account.id,
        epoch=account.epoch,
    )


def _wording(visit: Visit, account: Account, new: NewChallenge) -> Wording:
    """The owner of a taken address is told so, in their mail only."""
    template: str = new.purpose
    if new.purpose is Purpose.EMAIL_CHANGE:
        other = accounts.by_email_key(email_key(new.destination))
        template = "address-taken" if other and other.id != account.id else template
    return Wording(visit.locale, registry.own().client_name, template)
