"""What every page that asks for a code shows, and sending the code again."""

from collections.abc import Callable
from datetime import timedelta
from math import ceil

from flask import url_for
from werkzeug.wrappers import Response

from idp import clock
from idp.accounts.addresses import mask_email
from idp.accounts.phones import mask_phone, readable
from idp.challenges.challenge import Challenge, Channel, Purpose
from idp.challenges.issue import minutes_left
from idp.challenges.results import CodeRefused, SendRefused, Sent
from idp.extensions import settings
from idp.flow import codes as flow_codes
from idp.flow import on_record, recovery
from idp.flow.floor import Busy
from idp.flow.position import Position, locate
from idp.flow.steps import Step
from idp.pages import notices, words
from idp.pages.blueprint import STEP, blueprint
from idp.web.guard import step_page
from idp.web.network import network
from idp.web.responses import onward, page, step_url

_TEMPLATES = {
    Step.LEGACY_CONTACT: "legacy-contact.html",
    Step.EMAIL_CODE: "email-code.html",
    Step.PHONE_CODE: "phone-code.html",
    Step.SECOND_FACTOR: "second-factor.html",
    Step.RECOVERY_CODE: "recovery-code.html",
    Step.NEW_EMAIL_CODE: "new-email-code.html",
    Step.RECOVERY_PHONE_CODE: "recovery-phone-code.html",
}

_RESEND: dict[Step, Callable[[Position, str], Sent | SendRefused | Busy]] = {
    Step.RECOVERY_CODE: recovery.resend,
    Step.LEGACY_CONTACT: on_record.resend,
}


@blueprint.post(f"{STEP}/resend")
@step_page(*_TEMPLATES)
def resend(position: Position) -> Response:
    """Send the awaited code again."""
    wish = _RESEND.get(position.step, flow_codes.resend)
    outcome: Sent | SendRefused | Busy = wish(position, network())
    match outcome:
        case Sent():
            return onward(position.interaction.id)
        case Busy():
            return show_code_page(position, 503, notice=words.busy())
        case SendRefused() as refused:
            return show_unsent_code(position, refused)


def show_code_page(
    position: Position, status: int, *problems: words.Problem, notice: str | None = None
) -> Response:
    """Render a code page as things stand now: where the code went, when another can be asked for.

    `notice` is said first; without one, what the interaction has to say.
    """
    now = locate(position.interaction)
    challenge = now.challenge
    if now.step not in _TEMPLATES:
        return onward(now.interaction.id)
    return page(
        _TEMPLATES[now.step],
        status=status,
        position=now,
        action=step_url(now.interaction.id, now.step),
        problems=problems,
        notice=notice or (None if problems else notices.said_first(now.notice)),
        destination=_destination(now) if challenge else None,
        by_sms=_by_sms(now),
        choice=now.account is not None and len(flow_codes.channels(now.account)) > 1,
        resend=url_for("pages.resend", interaction_id=now.interaction.id),
        recovers=any(problem.recovers for problem in problems),
        **waiting(challenge),
    )


def show_refused_code(position: Position, refused: CodeRefused) -> Response:
    """The page again, for another try."""
    return show_code_page(position, words.code_status(refused), words.code_problem(refused))


def show_unsent_code(position: Position, refused: SendRefused) -> Response:
    """The page again: no further code was sent, and why."""
    return show_code_page(position, words.send_status(refused), notice=words.send_refusal(refused))


def waiting(challenge: Challenge | None) -> dict[str, object]:
    """What every page that waits for a code shows: how long it is good, when another can be asked for."""
    sent = challenge.sent_at if challenge else None
    left = sent + settings.resend_after - clock.now() if sent else timedelta()
    return {
        "resend_seconds": max(0, ceil(left.total_seconds())),
        "resend_wait": words.wait(left) if left > timedelta() else None,
        "minutes": minutes_left(challenge, clock.now()) if challenge else 0,
        "digits": settings.code_digits,
    }


def _by_sms(position: Position) -> bool:
    """How the code travels, or would have travelled when none could be sent."""
    if position.step is Step.LEGACY_CONTACT:
        return "@" not in (position.interaction.legacy_contact or "")
    if position.challenge is None:
        account = position.account
        if account is None:
            return position.owner is not None
        return flow_codes.preferred_channel(position.interaction, account) is Channel.SMS
    return position.challenge.channel is Channel.SMS


def _destination(position: Position) -> str:
    """An address just typed is shown whole, to be checked; one on record only masked.

    In a recovery nothing is shown but what was typed, whether it is anybody's or not.
    """
    if position.step is Step.RECOVERY_CODE:
        return position.interaction.identifier
    challenge = position.challenge
    assert challenge is not None
    by_sms = challenge.channel is Channel.SMS
    if position.step is Step.NEW_EMAIL_CODE:
        return challenge.destination
    if challenge.purpose is not Purpose.LEGACY_CONTACT and challenge.account_id is None:
        return readable(challenge.destination) if by_sms else challenge.destination
    return (mask_phone if by_sms else mask_email)(challenge.destination)
