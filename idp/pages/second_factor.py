"""Every later sign-in: the code by SMS or e-mail."""

from flask import request
from werkzeug.wrappers import Response

from idp.challenges.challenge import Channel
from idp.challenges.results import CodeRefused, SendRefused, Sent
from idp.flow import second_factor as flow
from idp.flow.position import Position
from idp.flow.second_factor import Authenticated
from idp.flow.steps import Step
from idp.pages.blueprint import STEP, blueprint
from idp.pages.codes import show_code_page, show_refused_code, show_unsent_code
from idp.web import cookies, known_browsers
from idp.web.guard import step_page
from idp.web.responses import onward


@blueprint.get(f"{STEP}/second-factor")
@step_page(Step.SECOND_FACTOR)
def second_factor(position: Position) -> Response:
    """Ask for the code."""
    return show_code_page(position, 200)


@blueprint.post(f"{STEP}/second-factor")
@step_page(Step.SECOND_FACTOR)
def submit_second_factor(position: Position) -> Response:
    """Check it; when right, the browser has a session under a new name, and knows the account."""
    typed = request.form.get("code", "")
    account = position.account
    new = account is None or not known_browsers.knows(account.sub, account.epoch)
    match flow.verify(position, typed, previous=cookies.session_token(), new_browser=new):
        case Authenticated(session_token=token, sub=sub, epoch=epoch):
            answer = onward(position.interaction.id)
            cookies.set_session(answer, token)
            known_browsers.remember(answer, sub, epoch)
            return answer
        case CodeRefused() as refused:
            return show_refused_code(position, refused)


@blueprint.post(f"{STEP}/channel")
@step_page(Step.SECOND_FACTOR)
def use_channel(position: Position) -> Response:
    """Send the code the other way."""
    channel = Channel.SMS if request.form.get("channel") == Channel.SMS else Channel.EMAIL
    match flow.use_channel(position, channel):
        case Sent():
            return onward(position.interaction.id)
        case SendRefused() as refused:
            return show_unsent_code(position, refused)


@blueprint.post(f"{STEP}/start-over")
@step_page(*(step for step in Step if step not in {Step.SIGN_IN, Step.DONE, Step.ANSWER}))
def start_over(position: Position) -> Response:
    """Somebody else wants to sign in here."""
    flow.start_over(position)
    return onward(position.interaction.id)
