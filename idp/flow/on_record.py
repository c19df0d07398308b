"""What a source asks for besides the old password: a code to the contact on record, or an invitation."""

import enum
from dataclasses import dataclass

from idp import clock
from idp.accounts.addresses import parse_email
from idp.accounts.phones import PhoneProblem, parse_phone
from idp.challenges import issue
from idp.challenges.challenge import Channel, NewChallenge, Purpose
from idp.challenges.results import CodeRefused, CodeVerified, SendRefused, Sent
from idp.extensions import settings
from idp.flow import codes
from idp.flow.interaction import Interaction, Notice
from idp.flow.position import Position, acting
from idp.legacy import registry as legacy
from idp.legacy.source import Match, Proof
from idp.migration.models import MigrationCase


class Shown(enum.Enum):
    """The code from the contact on record was right."""

    SHOWN = "shown"


@dataclass(frozen=True)
class Contact:
    """Where the old system reaches a person."""

    channel: Channel
    destination: str


def contact_of(email: str, phone: str) -> Contact | None:
    """The address on record, or else the number, as far as a message can go there."""
    address = parse_email(email)
    if address is not None:
        return Contact(Channel.EMAIL, address.address)
    number = parse_phone(phone, region=settings.phone_region, countries=settings.sms_countries)
    if isinstance(number, PhoneProblem) or not settings.sms_enabled:
        return None
    return Contact(Channel.SMS, number)


def demand(now: Position, interaction: Interaction, case: MigrationCase, match: Match) -> bool:
    """After the right old password: note what else is asked for, and send a code if it is one.

    False when it is one and there is nowhere to send it. Runs in the caller's transaction.
    """
    proof, contact = legacy.proof(match.source), contact_of(match.person.email, match.person.phone)
    if proof is Proof.CONTACT and contact is None:
        return False
    interaction.case_id, interaction.legacy_proof = case.id, proof
    if proof is Proof.PASSWORD:
        interaction.legacy_verified_at = clock.now()
    elif proof is Proof.CONTACT and contact is not None:
        interaction.legacy_contact = contact.destination
        _send(now, interaction, case)
    return True


def resend(position: Position, network: str) -> Sent | SendRefused:
    """Send the code again, also when none could be sent before."""
    if position.challenge is not None:
        return codes.resend(position, network)
    with acting(position) as now:
        assert now.case is not None, "the contact on record is a case's"
        return _send(now, now.interaction, now.case)


def verify(position: Position, code: str) -> Shown | CodeRefused:
    """Check the code from the contact on record."""

    def record(now: Position, _proof: CodeVerified) -> Shown:
        now.interaction.legacy_verified_at = clock.now()
        now.interaction.notice = None
        return Shown.SHOWN

    return codes.check(position, Purpose.LEGACY_CONTACT, code, record)


def _send(now: Position, interaction: Interaction, case: MigrationCase) -> Sent | SendRefused:
    destination = interaction.legacy_contact
    assert destination is not None, "noted with the password"
    new = NewChallenge(
        purpose=Purpose.LEGACY_CONTACT,
        channel=Channel.EMAIL if "@" in destination else Channel.SMS,
        destination=destination,
        interaction_id=interaction.id,
        browser=interaction.browser,
        case_id=case.id,
    )
    outcome = issue.open_challenge(new, codes.wording_of(now, Purpose.LEGACY_CONTACT))
    if isinstance(outcome, SendRefused) and issue.current(interaction.id) is None:
        interaction.notice = Notice.SEND_REFUSED
    return outcome
