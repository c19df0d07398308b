"""Steps 2 to 4 of the notice: the address, its code, and the confirmation."""

from flask import request
from werkzeug.wrappers import Response

from idp.challenges.results import CodeRefused, SendRefused, Sent
from idp.flow import enrolment, joining
from idp.flow.enrolment import CodeAccepted, InputProblem
from idp.flow.position import Position
from idp.flow.steps import Step
from idp.pages import invitation_words, notices, words
from idp.pages.blueprint import STEP, blueprint
from idp.pages.codes import show_code_page, show_refused_code
from idp.web.guard import step_page
from idp.web.network import network
from idp.web.responses import onward, page


@blueprint.get(f"{STEP}/email")
@step_page(Step.EMAIL)
def email(position: Position) -> Response:
    """Ask for the new identifier."""
    chosen = position.case.email if position.case else None
    return _show(position, 200, chosen or "")


@blueprint.post(f"{STEP}/email")
@step_page(Step.EMAIL)
def submit_email(position: Position) -> Response:
    """Send a code to it."""
    typed = request.form.get("email", "")
    match enrolment.give_email(position, typed, network()):
        case Sent():
            return onward(position.interaction.id)
        case SendRefused() as refused:
            return _show(position, 429, typed, words.send_problem("email", refused))
        case InputProblem.INVALID_EMAIL:
            return _show(position, 422, typed, words.email_problem())
        case InputProblem.NOT_INVITED:
            return _show(position, 422, typed, invitation_words.not_invited())


@blueprint.get(f"{STEP}/email-code")
@step_page(Step.EMAIL_CODE)
def email_code(position: Position) -> Response:
    """Ask for the code."""
    return show_code_page(position, 200)


@blueprint.post(f"{STEP}/email-code")
@step_page(Step.EMAIL_CODE)
def submit_email_code(position: Position) -> Response:
    """Check it."""
    match enrolment.verify_email(position, request.form.get("code", "")):
        case CodeAccepted():
            return onward(position.interaction.id)
        case CodeRefused() as refused:
            return show_refused_code(position, refused)


@blueprint.post(f"{STEP}/email/change")
@step_page(Step.EMAIL_CODE, Step.EMAIL_VERIFIED, Step.PROFILE)
def change_email(position: Position) -> Response:
    """Back to the address."""
    enrolment.change_email(position)
    return onward(position.interaction.id)


@blueprint.get(f"{STEP}/email-verified")
@step_page(Step.EMAIL_VERIFIED)
def email_verified(position: Position) -> Response:
    """Say which identifier is theirs now."""
    return page("email-verified.html", position=position)


@blueprint.post(f"{STEP}/email-verified")
@step_page(Step.EMAIL_VERIFIED)
def confirm_email(position: Position) -> Response:
    """«Continuer»."""
    enrolment.confirm_address(position)
    return onward(position.interaction.id)


def _show(position: Position, status: int, value: str, *problems: words.Problem) -> Response:
    notice = None if problems else notices.said_first(position.notice)
    return page(
        "email.html",
        status=status,
        position=position,
        value=value,
        problems=problems,
        notice=notice,
        joins=joining.offered(position),
    )
