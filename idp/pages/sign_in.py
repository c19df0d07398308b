"""Step 1 of the notice, and every later sign-in: identifier and password."""

from flask import request
from werkzeug.wrappers import Response

from idp.flow.position import Position
from idp.flow.sign_in import Refusal, SignedIn, SignInRefused
from idp.flow.sign_in import sign_in as check_password
from idp.flow.steps import Step
from idp.flow.tries import Visitor
from idp.migration import campaign
from idp.migration.campaign import Door
from idp.pages import doors, notices, words
from idp.pages.blueprint import STEP, blueprint
from idp.web import headers, known_browsers
from idp.web.guard import own_position, step_page
from idp.web.network import network
from idp.web.responses import onward, page, to_step

_STATUS = {Refusal.BUSY: 503, Refusal.THROTTLED: 429}


@blueprint.get(STEP)
@blueprint.get(f"{STEP}/<path:elsewhere>")
def dispatch(interaction_id: str, elsewhere: str = "") -> Response:  # noqa: ARG001
    """To whatever step the facts lead to, also from the address of a button that was reloaded."""
    return to_step(interaction_id, own_position(interaction_id).step)


@blueprint.get(f"{STEP}/sign-in")
@step_page(Step.SIGN_IN)
def sign_in(position: Position) -> Response:
    """Ask for identifier and password."""
    notice = notices.said_first(position.notice)
    return _show(position, campaign.door(), value=position.interaction.identifier, notice=notice)


@blueprint.post(f"{STEP}/sign-in")
@step_page(Step.SIGN_IN)
def submit_sign_in(position: Position) -> Response:
    """Check them."""
    identifier = request.form.get("identifier", "")
    password = request.form.get("password", "")
    visitor = Visitor(network(), known_browsers.knows)
    match check_password(position, identifier, password, visitor):
        case SignedIn(interaction_id=interaction_id):
            return onward(interaction_id)
        case SignInRefused() as refused:
            status = _STATUS.get(refused.reason, 422)
            problems = (words.sign_in_problem(refused),)
            return _show(position, refused.door, status, value=identifier, problems=problems)


def _show(position: Position, door: Door, status: int = 200, **values: object) -> Response:
    """Whoever has just migrated is told nothing of old identifiers."""
    migrated = position.interaction.migrated_account_id is not None
    shut = None if migrated else doors.shut(door)
    headers.allow_image_from(position.client.logo_uri)
    return page("sign-in.html", status=status, position=position, shut=shut, **values)
