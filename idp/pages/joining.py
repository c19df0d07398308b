"""«C’est aussi mon compte»: the sign-in to the account whose address was proven in a migration."""

from flask import request
from werkzeug.wrappers import Response

from idp.flow import joining as flow
from idp.flow.floor import Busy
from idp.flow.joining import Accepted, JoinRefused, NoLonger
from idp.flow.position import Position
from idp.flow.steps import Step
from idp.flow.tries import Visitor
from idp.pages import words
from idp.pages.blueprint import STEP, blueprint
from idp.web import known_browsers
from idp.web.guard import step_page
from idp.web.network import network
from idp.web.responses import onward, page


@blueprint.post(f"{STEP}/join/begin")
@step_page(Step.EMAIL)
def begin_joining(position: Position) -> Response:
    """The button on the page of the address."""
    flow.begin(position)
    return onward(position.interaction.id)


@blueprint.get(f"{STEP}/join")
@step_page(Step.JOIN)
def join(position: Position) -> Response:
    """Ask for that account's password."""
    return _show(position, 200)


@blueprint.post(f"{STEP}/join")
@step_page(Step.JOIN)
def submit_join(position: Position) -> Response:
    """Check it; the code of every sign-in follows."""
    visitor = Visitor(network(), known_browsers.knows)
    match flow.sign_in(position, request.form.get("password", ""), visitor):
        case Accepted() | NoLonger():
            return onward(position.interaction.id)
        case Busy():
            return _show(position, 503, words.busy_problem("password"))
        case JoinRefused() as refused:
            return _show(position, 429 if refused.wait else 422, words.join_problem(refused))


@blueprint.post(f"{STEP}/join/give-up")
@step_page(Step.JOIN)
def give_up_joining(position: Position) -> Response:
    """Another address instead."""
    flow.give_up(position)
    return onward(position.interaction.id)


def _show(position: Position, status: int, *problems: words.Problem) -> Response:
    email = position.case.email if position.case else None
    return page("join.html", status=status, position=position, email=email, problems=problems)
