"""Sending and checking the codes of an interaction, whatever they are for."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TypeVar

from idp.accounts import account as accounts
from idp.accounts.account import Account
from idp.accounts.addresses import LONGEST, email_key
from idp.audit import events
from idp.challenges import issue, sms, verify
from idp.challenges.challenge import Challenge, Channel, NewChallenge, Purpose
from idp.challenges.issue import Wording
from idp.challenges.results import (
    CodeProblem,
    CodeRefused,
    CodeVerified,
    SendProblem,
    SendRefused,
    Sent,
)
from idp.extensions import settings, transaction
from idp.flow import tries
from idp.flow.forgotten import OnRecord
from idp.flow.interaction import Interaction, Notice
from idp.flow.position import Position, acting
from idp.flow.tries import Visitor
from idp.keys.wrapping import WrapError
from idp.sessions.authentication import ACR

FORGOTTEN = "legacy-forgotten"
"""The message for whoever forgot the password of an old system."""

P = TypeVar("P")
T = TypeVar("T")


def resend(position: Position, network: str) -> Sent | SendRefused:
    """Send the awaited code again; to somebody with an account also when none could be sent before.

    `network` is where the wish came from. For the first code of a recovery see `recovery.resend`.
    """
    with acting(position) as now:
        account = now.account
        if now.challenge is not None:
            wording = wording_of(now, _template_of(now.challenge))
            outcome = issue.resend(now.challenge, wording, network=network)
            if account is not None and _no_sms(outcome):
                return send_second_factor(now, now.interaction, account, Channel.EMAIL)
            return _noting(now.interaction, _only_later(outcome) if now.owner else outcome)
        if now.owner is not None:
            return send_recovery_sms(now, now.owner)
        assert account is not None, "an enrolment does not wait for a code that was never sent"
        channel = preferred_channel(now.interaction, account)
        return send_second_factor(now, now.interaction, account, channel)


def send_second_factor(
    position: Position, interaction: Interaction, account: Account, channel: Channel
) -> Sent | SendRefused:
    """Send a fresh second-factor code; by e-mail where no SMS can go. Runs inside the caller's transaction."""
    wording = wording_of(position, Purpose.SECOND_FACTOR)
    by_sms = channel is Channel.SMS and settings.sms_enabled
    outcome = issue.open_challenge(_second_factor(interaction, account, by_sms=by_sms), wording)
    if _no_sms(outcome):
        outcome = issue.open_challenge(_second_factor(interaction, account, by_sms=False), wording)
    return _noting(interaction, outcome)


def _second_factor(interaction: Interaction, account: Account, *, by_sms: bool) -> NewChallenge:
    number = account.phone if by_sms else None
    return NewChallenge(
        purpose=Purpose.SECOND_FACTOR,
        channel=Channel.SMS if number else Channel.EMAIL,
        destination=number or account.email,
        interaction_id=interaction.id,
        browser=interaction.browser,
        account_id=account.id,
        epoch=account.epoch,
    )


def send_recovery(
    position: Position,
    text: str,
    account: Account | None,
    visitor: Visitor,
    old: OnRecord | None = None,
) -> Sent | SendRefused:
    """Send a code to the owner of the address typed; to nobody when it is nobody's, which looks the same.

    `old`: it is an old identifier, and the code goes to the address on record there.

    Runs inside the caller's transaction.
    """
    new = NewChallenge(
        purpose=Purpose.RECOVERY_EMAIL,
        channel=Channel.EMAIL,
        destination=account.email if account else tries.key_of(text)[:LONGEST],
        interaction_id=position.interaction.id,
        browser=position.interaction.browser,
        account_id=account.id if account else None,
        epoch=account.epoch if account else None,
        identity_id=old.identity_id if old else None,
        deliver_to=old.address if old else None,
        known_browser=account is not None and visitor.knows(account.sub, account.epoch),
    )
    wording = wording_of(position, FORGOTTEN if old else Purpose.RECOVERY_EMAIL)
    return issue.open_challenge(new, wording, network=visitor.network)


def send_recovery_sms(position: Position, owner: Account) -> Sent | SendRefused:
    """Send the second code of a recovery; never by e-mail instead, which has answered already.

    Runs inside the caller's transaction.
    """
    assert owner.phone is not None, "who can be reached by SMS has a number"
    new = NewChallenge(
        purpose=Purpose.RECOVERY_SMS,
        channel=Channel.SMS,
        destination=owner.phone,
        interaction_id=position.interaction.id,
        browser=position.interaction.browser,
        account_id=owner.id,
        epoch=owner.epoch,
    )
    outcome = issue.open_challenge(new, wording_of(position, Purpose.RECOVERY_SMS))
    return _noting(position.interaction, _only_later(outcome))


def send_enrolment(
    position: Position, channel: Channel, destination: str, *, template: str, network: str
) -> Sent | SendRefused:
    """Send a code to an address or number that is to be proven. Runs inside the caller's transaction."""
    assert position.case is not None, "enrolment stands on a case"
    by_mail = channel is Channel.EMAIL
    new = NewChallenge(
        purpose=Purpose.EMAIL_ENROLMENT if by_mail else Purpose.PHONE_ENROLMENT,
        channel=channel,
        destination=destination,
        interaction_id=position.interaction.id,
        browser=position.interaction.browser,
        case_id=position.case.id,
    )
    return issue.open_challenge(new, wording_of(position, template), network=network)


def check(
    position: Position,
    purpose: Purpose,
    text: str,
    record: Callable[[Position, CodeVerified], T],
) -> T | CodeRefused:
    """Check a code typed in an interaction; when right, `record` it: see `check_in`."""
    account, interaction = position.account or position.owner, position.interaction
    place = Place(
        id=interaction.id,
        browser=interaction.browser,
        sub=account.sub if account else None,
        client_id=position.client.client_id,
        reference=position.reference,
    )
    return check_in(lambda: acting(position), place, purpose, text, record)


@dataclass(frozen=True)
class Place:
    """What a code waits in (its challenge calls it interaction), in which browser, and for whom. `reference` is
    its name for support."""

    id: str
    browser: str
    sub: str | None
    client_id: str
    reference: str


def check_in(
    enter: Callable[[], AbstractContextManager[P]],
    place: Place,
    purpose: Purpose,
    text: str,
    record: Callable[[P, CodeVerified], T],
) -> T | CodeRefused:
    """Check a typed code: reserve the try (committed), compare, then use it up and `record`, together.

    `enter` opens the transaction in which that may be done.
    """
    code = verify.read_code(text)
    if code is None:
        return CodeRefused(CodeProblem.MALFORMED)
    with enter():
        expected = verify.reserve_try(place.id, place.browser, purpose)
        if isinstance(expected, CodeRefused):
            _note_refusal(place, purpose, expected.problem)
            return expected
    try:
        right = expected.matches(code)
    except WrapError:
        return CodeRefused(CodeProblem.EXPIRED)
    if not right:
        with transaction():
            _note_refusal(place, purpose, CodeProblem.WRONG)
        return CodeRefused(CodeProblem.WRONG)
    with enter() as now:
        proof = verify.accept(expected)
        return proof if isinstance(proof, CodeRefused) else record(now, proof)


def _note_refusal(place: Place, purpose: Purpose, problem: CodeProblem) -> None:
    """Wrong codes are few, because tries are; what comes after the last try is noted once in a while."""
    if problem is CodeProblem.WRONG or events.due(f"code:{problem.value}:{place.id}"):
        events.code_refused(
            purpose=purpose.value,
            reason=problem.value,
            sub=place.sub,
            client_id=place.client_id,
            reference=place.reference,
        )


def preferred_channel(interaction: Interaction, account: Account) -> Channel:
    """What the relying party would like most, else SMS, as far as the account can be reached so."""
    usable = channels(account)
    wanted = [channel for channel in usable if ACR[channel] in interaction.acr_values]
    return min(
        wanted, key=lambda channel: interaction.acr_values.index(ACR[channel]), default=usable[0]
    )


def channels(account: Account) -> tuple[Channel, ...]:
    """How codes can reach the account, best first."""
    number = account.phone if settings.sms_enabled else None
    by_sms = (Channel.SMS,) if number and not sms.is_stopped(number) else ()
    return (*by_sms, Channel.EMAIL)


def address_template(address: str) -> str:
    """Which message goes to a new address: the owner of a taken one is told so, in their mail only."""
    taken = accounts.by_email_key(email_key(address)) is not None
    return "address-taken" if taken else Purpose.EMAIL_ENROLMENT


def _template_of(challenge: Challenge) -> str:
    if challenge.identity_id is not None:
        return FORGOTTEN
    if challenge.purpose in {Purpose.EMAIL_ENROLMENT, Purpose.EMAIL_CHANGE}:
        return address_template(challenge.destination)
    return challenge.purpose


def wording_of(position: Position, template: str) -> Wording:
    """How a message of this interaction is written: what others call themselves is no word of ours."""
    client = position.client
    service = client.client_name if client.first_party else settings.mail_from_name
    return Wording(locale=position.interaction.locale, service=service, template=template)


def _no_sms(outcome: Sent | SendRefused) -> bool:
    return isinstance(outcome, SendRefused) and outcome.problem is SendProblem.NO_SMS


def _only_later(outcome: Sent | SendRefused) -> Sent | SendRefused:
    """Where a number cannot be left out, an SMS that cannot go now has to be asked for later."""
    if isinstance(outcome, SendRefused) and outcome.problem is SendProblem.NO_SMS:
        return SendRefused(SendProblem.BUDGET, outcome.wait)
    return outcome


def _noting(interaction: Interaction, outcome: Sent | SendRefused) -> Sent | SendRefused:
    """Keep a missing code visible to the page that follows."""
    if isinstance(outcome, Sent):
        interaction.notice = None
    elif issue.current(interaction.id) is None:
        interaction.notice = Notice.SEND_REFUSED
    return outcome
