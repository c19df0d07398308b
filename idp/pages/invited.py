"""«J’ai un code d’invitation», and the new address of whoever lost the mailbox."""

from flask import request
from werkzeug.wrappers import Response

from idp.accounts.addresses import mask_email
from idp.challenges.results import CodeRefused, SendRefused, Sent
from idp.flow import invited as flow
from idp.flow import restore
from idp.flow.enrolment import CodeAccepted, InputProblem
from idp.flow.invited import InvitationRefused, Opened
from idp.flow.position import Position
from idp.flow.steps import Step
from idp.pages import invitation_words, notices, words
from idp.pages.blueprint import STEP, blueprint
from idp.pages.codes import show_code_page, show_refused_code
from idp.web.guard import step_page
from idp.web.network import network
from idp.web.responses import onward, page


@blueprint.post(f"{STEP}/invitation/begin")
@step_page(Step.SIGN_IN, Step.LEGACY_CONTACT)
def begin_invitation(position: Position) -> Response:
    """«J’ai un code d’invitation»."""
    return onward(flow.begin(position))


@blueprint.get(f"{STEP}/invitation")
@step_page(Step.INVITATION)
def invitation(position: Position) -> Response:
    """Ask for the code."""
    return _show_invitation(position, 200)


@blueprint.post(f"{STEP}/invitation")
@step_page(Step.INVITATION)
def submit_invitation(position: Position) -> Response:
    """Check it; what it was issued for follows."""
    match flow.enter(position, request.form.get("invitation", ""), network()):
        case Opened():
            return onward(position.interaction.id)
        case InvitationRefused(wait=pause) as refused:
            status = 429 if pause else 422
            return _show_invitation(position, status, invitation_words.refused(refused))


@blueprint.get(f"{STEP}/new-email")
@step_page(Step.NEW_EMAIL)
def new_email(position: Position) -> Response:
    """Ask for an address instead of the lost one."""
    return _show_address(position, 200, "")


@blueprint.post(f"{STEP}/new-email")
@step_page(Step.NEW_EMAIL)
def submit_new_email(position: Position) -> Response:
    """Send a code to it."""
    typed = request.form.get("email", "")
    match restore.give_email(position, typed, network()):
        case Sent():
            return onward(position.interaction.id)
        case SendRefused() as refused:
            return _show_address(position, 429, typed, words.send_problem("email", refused))
        case InputProblem():
            return _show_address(position, 422, typed, words.email_problem())


@blueprint.post(f"{STEP}/new-email/change")
@step_page(Step.NEW_EMAIL_CODE)
def change_new_email(position: Position) -> Response:
    """Back to the address."""
    restore.change_email(position)
    return onward(position.interaction.id)


@blueprint.get(f"{STEP}/new-email-code")
@step_page(Step.NEW_EMAIL_CODE)
def new_email_code(position: Position) -> Response:
    """Ask for the code from it."""
    return show_code_page(position, 200)


@blueprint.post(f"{STEP}/new-email-code")
@step_page(Step.NEW_EMAIL_CODE)
def submit_new_email_code(position: Position) -> Response:
    """Check it."""
    match restore.verify_email(position, request.form.get("code", "")):
        case CodeAccepted():
            return onward(position.interaction.id)
        case CodeRefused() as refused:
            return show_refused_code(position, refused)


def _show_invitation(position: Position, status: int, *problems: words.Problem) -> Response:
    return page(
        "invitation.html",
        status=status,
        position=position,
        problems=problems,
        notice=None if problems else notices.said_first(position.notice),
    )


def _show_address(
    position: Position, status: int, value: str, *problems: words.Problem
) -> Response:
    assert position.owner is not None, "an invitation named the account"
    return page(
        "new-email.html",
        status=status,
        position=position,
        value=value,
        account=mask_email(position.owner.email),
        problems=problems,
        notice=None if problems else notices.said_first(position.notice),
    )
