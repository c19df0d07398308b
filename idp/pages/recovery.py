"""«Mot de passe oublié ?»: address, code, second code, new password."""

from flask import request
from werkzeug.wrappers import Response

from idp.challenges.results import CodeRefused, SendRefused, Sent
from idp.extensions import settings
from idp.flow import recovery as flow
from idp.flow.enrolment import PasswordRefused
from idp.flow.floor import Busy
from idp.flow.position import Position
from idp.flow.recovery import Proven, Recovered, RecoveryLost
from idp.flow.steps import Step
from idp.flow.tries import Visitor
from idp.pages import notices, words
from idp.pages.blueprint import STEP, blueprint
from idp.pages.codes import show_code_page, show_refused_code
from idp.web import known_browsers
from idp.web.guard import step_page
from idp.web.network import network
from idp.web.responses import onward, page


@blueprint.post(f"{STEP}/recovery/begin")
@step_page(Step.SIGN_IN, Step.SECOND_FACTOR)
def begin_recovery(position: Position) -> Response:
    """«Mot de passe oublié ?»."""
    flow.begin(position)
    return onward(position.interaction.id)


@blueprint.get(f"{STEP}/recovery")
@step_page(Step.RECOVERY)
def recovery(position: Position) -> Response:
    """Ask for the address."""
    return _show_address(position, 200, position.interaction.identifier)


@blueprint.post(f"{STEP}/recovery")
@step_page(Step.RECOVERY)
def submit_recovery(position: Position) -> Response:
    """Send a code to it, if it is anybody's; what follows looks the same."""
    typed = request.form.get("email", "")
    match flow.ask(position, typed, Visitor(network(), known_browsers.knows)):
        case Sent():
            return onward(position.interaction.id)
        case Busy():
            return _show_address(position, 503, typed, words.busy_problem("email"))
        case SendRefused() as refused:
            return _show_address(position, 429, typed, words.send_problem("email", refused))


@blueprint.post(f"{STEP}/recovery/change")
@step_page(Step.RECOVERY_CODE)
def change_recovery(position: Position) -> Response:
    """Back to the address."""
    flow.change_address(position)
    return onward(position.interaction.id)


@blueprint.get(f"{STEP}/recovery-code")
@step_page(Step.RECOVERY_CODE)
def recovery_code(position: Position) -> Response:
    """Ask for the code from the mailbox."""
    return show_code_page(position, 200)


@blueprint.post(f"{STEP}/recovery-code")
@step_page(Step.RECOVERY_CODE)
def submit_recovery_code(position: Position) -> Response:
    """Check it."""
    return _checked(position, flow.verify_email(position, request.form.get("code", "")))


@blueprint.get(f"{STEP}/recovery-phone-code")
@step_page(Step.RECOVERY_PHONE_CODE)
def recovery_phone_code(position: Position) -> Response:
    """Ask for the code from the phone."""
    return show_code_page(position, 200)


@blueprint.post(f"{STEP}/recovery-phone-code")
@step_page(Step.RECOVERY_PHONE_CODE)
def submit_recovery_phone_code(position: Position) -> Response:
    """Check it."""
    return _checked(position, flow.verify_phone(position, request.form.get("code", "")))


@blueprint.get(f"{STEP}/recovery-password")
@step_page(Step.RECOVERY_PASSWORD)
def recovery_password(position: Position) -> Response:
    """Ask for the new password."""
    return _show_password(position, 200)


@blueprint.post(f"{STEP}/recovery-password")
@step_page(Step.RECOVERY_PASSWORD)
def submit_recovery_password(position: Position) -> Response:
    """«Enregistrer le mot de passe»."""
    password = request.form.get("password", "")
    confirmation = request.form.get("confirmation", "")
    match flow.complete(position, password, confirmation):
        case PasswordRefused(problems=problems):
            return _show_password(position, 422, *[words.password_problem(one) for one in problems])
        case Recovered() | RecoveryLost():
            return onward(position.interaction.id)


def _checked(position: Position, outcome: Proven | CodeRefused) -> Response:
    match outcome:
        case Proven():
            return onward(position.interaction.id)
        case CodeRefused() as refused:
            return show_refused_code(position, refused)


def _show_address(
    position: Position, status: int, value: str, *problems: words.Problem
) -> Response:
    notice = None if problems else notices.said_first(position.notice)
    return page(
        "recovery.html",
        status=status,
        position=position,
        value=value,
        problems=problems,
        notice=notice,
    )


def _show_password(position: Position, status: int, *problems: words.Problem) -> Response:
    assert position.owner is not None, "the steps before prove the mailbox"
    return page(
        "recovery-password.html",
        status=status,
        position=position,
        # Of whoever was invited back, nothing is shown but what they typed.
        email=position.interaction.recovery_email or position.owner.email,
        problems=problems,
        least=settings.password_min,
    )
