"""The code to the contact on record, which some sources ask for besides the old password."""

from flask import request
from werkzeug.wrappers import Response

from idp.challenges.results import CodeRefused
from idp.flow import on_record as flow
from idp.flow.on_record import Shown
from idp.flow.position import Position
from idp.flow.steps import Step
from idp.pages.blueprint import STEP, blueprint
from idp.pages.codes import show_code_page, show_refused_code
from idp.web.guard import step_page
from idp.web.responses import onward


@blueprint.get(f"{STEP}/legacy-contact")
@step_page(Step.LEGACY_CONTACT)
def legacy_contact(position: Position) -> Response:
    """Ask for the code."""
    return show_code_page(position, 200)


@blueprint.post(f"{STEP}/legacy-contact")
@step_page(Step.LEGACY_CONTACT)
def submit_legacy_contact(position: Position) -> Response:
    """Check it."""
    match flow.verify(position, request.form.get("code", "")):
        case Shown():
            return onward(position.interaction.id)
        case CodeRefused() as refused:
            return show_refused_code(position, refused)
