"""The two answers of a page: HTML, or 303 to the step that follows."""

from flask import make_response, redirect, render_template, url_for
from werkzeug.wrappers import Response

from idp.flow.steps import Step


def page(template: str, *, status: int = 200, **context: object) -> Response:
    """Render a hosted page."""
    return make_response(render_template(template, **context), status)


def onward(interaction_id: str) -> Response:
    """Something was recorded: on to whatever step follows from it."""
    return redirect(url_for("pages.dispatch", interaction_id=interaction_id), 303)


def to_step(interaction_id: str, step: Step) -> Response:
    """To the page of a step."""
    return redirect(step_url(interaction_id, step), 303)


def step_url(interaction_id: str, step: Step) -> str:
    """Address of the page of a step; ANSWER is the protocol's."""
    page_of = f"pages.{step.replace('-', '_')}"
    endpoint = "authorization.resume" if step is Step.ANSWER else page_of
    return url_for(endpoint, interaction_id=interaction_id)
