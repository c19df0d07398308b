"""After signing in: the terms and the privacy notice of the deployment, when their version is a new one."""

from flask import request
from werkzeug.wrappers import Response

from idp.flow import agreeing
from idp.flow.position import Position
from idp.flow.steps import Step
from idp.pages import words
from idp.pages.blueprint import STEP, blueprint
from idp.sessions.browser import LiveSession
from idp.web.guard import agreement_page
from idp.web.responses import onward, page


@blueprint.get(f"{STEP}/terms")
@agreement_page(Step.TERMS)
def terms(position: Position, _session: LiveSession) -> Response:
    """Show which version, where to read it, and which one was accepted before."""
    account = position.account
    before = account and account.terms_accepted_at
    return page("terms.html", position=position, before=words.day(before) if before else None)


@blueprint.post(f"{STEP}/terms")
@agreement_page(Step.TERMS)
def accept_terms(position: Position, session: LiveSession) -> Response:
    """«J’accepte»."""
    agreeing.accept_terms(position, session, request.form.get("version", ""))
    return onward(position.interaction.id)


@blueprint.post(f"{STEP}/refuse")
@agreement_page(Step.TERMS, Step.CONSENT)
def refuse(position: Position, session: LiveSession) -> Response:
    """«Refuser», here or on the page of an application: back to it, with nothing."""
    agreeing.refuse(position, session)
    return onward(position.interaction.id)
