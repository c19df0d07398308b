"""Steps 6 and 7 of the notice: check personal information, choose a password, done."""

from flask import request
from werkzeug.wrappers import Response

from idp.accounts import account as accounts
from idp.accounts.phones import readable
from idp.accounts.profile import Profile
from idp.extensions import settings
from idp.flow import enrolment, newcomer
from idp.flow.enrolment import Completed, CompletionLost, PasswordRefused
from idp.flow.newcomer import PERSONAL, ProfileRefused, Typed
from idp.flow.position import Position
from idp.flow.steps import Step
from idp.pages import invitation_words, words
from idp.pages.blueprint import STEP, blueprint
from idp.web.guard import step_page
from idp.web.responses import onward, page


@blueprint.get(f"{STEP}/profile")
@step_page(Step.PROFILE)
def profile(position: Position) -> Response:
    """Show what the old system knows; ask for a new password."""
    return _show(position, 200)


@blueprint.post(f"{STEP}/profile")
@step_page(Step.PROFILE)
def submit_profile(position: Position) -> Response:
    """«Mettre à jour le compte»."""
    typed = [request.form.get(name, "") for name in (*PERSONAL, "password", "confirmation")]
    match newcomer.finish(position, Typed(*typed[:3]), *typed[3:]):
        case ProfileRefused(problems=problems):
            return _show(position, 422, *[invitation_words.profile(one) for one in problems])
        case PasswordRefused(problems=problems):
            return _show(position, 422, *[words.password_problem(one) for one in problems])
        case Completed() | CompletionLost():
            return onward(position.interaction.id)


@blueprint.get(f"{STEP}/done")
@step_page(Step.DONE)
def done(position: Position) -> Response:
    """The migration is done."""
    account = accounts.by_id(position.interaction.migrated_account_id or 0)
    by_sms = account is not None and account.phone is not None
    return page("done.html", position=position, by_sms=by_sms)


@blueprint.post(f"{STEP}/done")
@step_page(Step.DONE)
def leave_done(position: Position) -> Response:
    """«Se connecter à …»."""
    enrolment.leave_done(position)
    return onward(position.interaction.id)


def _show(position: Position, status: int, *problems: words.Problem) -> Response:
    assert position.case is not None
    number = position.proven_phone
    return page(
        "profile.html",
        status=status,
        position=position,
        profile=Profile.from_json(position.case.profile),
        newcomer=position.newcomer,
        typed=request.form,
        number=readable(number) if number else None,
        sms=settings.sms_enabled,
        problems=problems,
        least=settings.password_min,
    )
