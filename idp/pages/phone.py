"""Step 5 of the notice: a number for codes by SMS, or none."""

from flask import request
from werkzeug.wrappers import Response

from idp.accounts.phones import PhoneProblem
from idp.challenges.results import CodeRefused, SendRefused, Sent
from idp.flow import enrolment
from idp.flow.enrolment import CodeAccepted
from idp.flow.position import Position
from idp.flow.steps import Step
from idp.pages import words
from idp.pages.blueprint import STEP, blueprint
from idp.pages.codes import show_code_page, show_refused_code
from idp.web.guard import step_page
from idp.web.network import network
from idp.web.responses import onward, page


@blueprint.get(f"{STEP}/phone")
@step_page(Step.PHONE)
def phone(position: Position) -> Response:
    """Ask for a number, or a refusal."""
    chosen = position.case.phone if position.case else None
    return _show(position, 200, chosen or "")


@blueprint.post(f"{STEP}/phone")
@step_page(Step.PHONE)
def submit_phone(position: Position) -> Response:
    """Send a code to it."""
    typed = request.form.get("phone", "")
    match enrolment.give_phone(position, typed, network()):
        case Sent():
            return onward(position.interaction.id)
        case SendRefused() as refused:
            status = words.send_status(refused)
            return _show(position, status, typed, words.send_problem("phone", refused))
        case PhoneProblem() as problem:
            return _show(position, 422, typed, words.phone_problem(problem))


@blueprint.post(f"{STEP}/phone/refuse")
@step_page(Step.PHONE, Step.PHONE_CODE)
def refuse_phone(position: Position) -> Response:
    """«Je ne souhaite pas donner mon numéro de téléphone»."""
    enrolment.refuse_phone(position)
    return onward(position.interaction.id)


@blueprint.get(f"{STEP}/phone-code")
@step_page(Step.PHONE_CODE)
def phone_code(position: Position) -> Response:
    """Ask for the code."""
    return show_code_page(position, 200)


@blueprint.post(f"{STEP}/phone-code")
@step_page(Step.PHONE_CODE)
def submit_phone_code(position: Position) -> Response:
    """Check it."""
    match enrolment.verify_phone(position, request.form.get("code", "")):
        case CodeAccepted():
            return onward(position.interaction.id)
        case CodeRefused() as refused:
            return show_refused_code(position, refused)


@blueprint.post(f"{STEP}/phone/change")
@step_page(Step.PHONE_CODE, Step.PROFILE)
def change_phone(position: Position) -> Response:
    """Back to the number."""
    enrolment.change_phone(position)
    return onward(position.interaction.id)


def _show(position: Position, status: int, value: str, *problems: words.Problem) -> Response:
    return page("phone.html", status=status, position=position, value=value, problems=problems)
