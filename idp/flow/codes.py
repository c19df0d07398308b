"""Sending and checking the codes of an interaction, whatever they are for."""

from collections.abc import Callable
from typing import TypeVar

from idp.accounts import account as accounts
from idp.accounts.account import Account
from idp.accounts.addresses import email_key
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
from idp.extensions import db, settings, transaction
from idp.flow.interaction import Interaction, Notice, expired
from idp.flow.position import Position, acting, locate
from idp.flow.steps import Step
from idp.keys.wrapping import WrapError
from idp.security import throttle
from idp.security.throttle import Budget
from idp.sessions.authentication import ACR

T = TypeVar("T")


def resend(position: Position, network: str) -> Sent | SendRefused:
    """Send the awaited code again; on the second-factor page also when none could be sent before.

    `network` is where the wish came from.
    """
    with acting(position) as now:
        account = now.account
        if now.challenge is not None:
            wording = _wording(now, _template_of(now.challenge))
            outcome = issue.resend(now.challenge, wording, network=network)
            if account is not None and _no_sms(outcome):
                return send_second_factor(now, now.interaction, account, Channel.EMAIL)
            return _noting(now.interaction, outcome)
        assert account is not None, "only the second factor can lack a code"
        channel = preferred_channel(now.interaction, account)
        return send_second_factor(now, now.interaction, account, channel)


def send_second_factor(
    position: Position, interaction: Interaction, account: Account, channel: Channel
) -> Sent | SendRefused:
    """Send a fresh second-factor code; by e-mail where no SMS can go. Runs inside the caller's transaction."""
    wording = _wording(position, Purpose.SECOND_FACTOR)
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


def send_enrolment(
    position: Position, channel: Channel, destination: str, *, template: str, network: str
) -> Sent | SendRefused:
    """Send a code to an address or number that is to be proven. Runs inside the caller's transaction.

    `network` is where the wish came from.
    """
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
    return issue.open_challenge(new, _wording(position, template), network=network)


def undelivered(challenge_id: str) -> bool:
    """A code could not be sent: by SMS for a sign-in, then it goes by e-mail; otherwise the page says so.

    Runs in the worker's transaction. True when a code by e-mail has taken its place.
    """
    lost = db.session.get(Challenge, int(challenge_id))
    if lost is None or lost.channel is not Channel.SMS:
        return False
    sms.count_lost(lost.destination)
    interaction = db.session.get(Interaction, lost.interaction_id, with_for_update=True)
    if interaction is None or expired(interaction) or issue.current(interaction.id) is not lost:
        return False
    interaction.notice = Notice.SMS_UNSENT
    position = locate(interaction)
    if position.step is not Step.SECOND_FACTOR or position.account is None:
        return False
    sent = send_second_factor(position, interaction, position.account, Channel.EMAIL)
    interaction.notice = Notice.SMS_FAILED if isinstance(sent, Sent) else Notice.SMS_UNSENT
    return isinstance(sent, Sent)


def check(
    position: Position,
    purpose: Purpose,
    text: str,
    record: Callable[[Position, CodeVerified], T],
) -> T | CodeRefused:
    """Check a typed code: reserve the try (committed), compare, then use it up and `record`, together."""
    code = verify.read_code(text)
    if code is None:
        return CodeRefused(CodeProblem.MALFORMED)
    with acting(position) as now:
        expected = verify.reserve_try(now.interaction.id, now.interaction.browser, purpose)
        if isinstance(expected, CodeRefused):
            _note_refusal(now, purpose, expected.problem)
    if isinstance(expected, CodeRefused):
        return expected
    try:
        right = expected.matches(code)
    except WrapError:
        return CodeRefused(CodeProblem.EXPIRED)
    if not right:
        with transaction():
            _note_refusal(position, purpose, CodeProblem.WRONG)
        return CodeRefused(CodeProblem.WRONG)
    with acting(position) as now:
        proof = verify.accept(expected)
        return proof if isinstance(proof, CodeRefused) else record(now, proof)


def _note_refusal(position: Position, purpose: Purpose, problem: CodeProblem) -> None:
    """Wrong codes are few, because tries are; what comes after the last try is noted once in a while."""
    interaction_id = position.interaction.id
    once = Budget(f"audit:code:{problem.value}:{interaction_id}", 1, events.BOUND)
    if problem is CodeProblem.WRONG or not throttle.reserve(once):
        events.code_refused(
            purpose=purpose.value,
            reason=problem.value,
            sub=position.account.sub if position.account else None,
            client_id=position.client.client_id,
            interaction=interaction_id,
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
    if challenge.purpose is Purpose.EMAIL_ENROLMENT:
        return address_template(challenge.destination)
    return challenge.purpose


def _wording(position: Position, template: str) -> Wording:
    locale, service = position.interaction.locale, position.client.client_name
    return Wording(locale=locale, service=service, template=template)


def _no_sms(outcome: Sent | SendRefused) -> bool:
    return isinstance(outcome, SendRefused) and outcome.problem is SendProblem.NO_SMS


def _noting(interaction: Interaction, outcome: Sent | SendRefused) -> Sent | SendRefused:
    """Keep a missing code visible to the page that follows."""
    if isinstance(outcome, Sent):
        interaction.notice = None
    elif issue.current(interaction.id) is None:
        interaction.notice = Notice.SEND_REFUSED
    return outcome
