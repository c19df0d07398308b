"""The link that stops reminders (RFC 8058). Opening it changes nothing; its button acts, and so does a mail
program that posts to it: the token is the proof, so no form token is asked for."""

from werkzeug.wrappers import Response

from idp.extensions import transaction
from idp.migration import reminders
from idp.pages.blueprint import blueprint
from idp.web.responses import page


@blueprint.get("/reminders/<token:token>")
def reminder(token: str) -> Response:
    """Offer to stop."""
    return page("reminder.html") if reminders.is_link(token) else _over()


@blueprint.post("/reminders/<token:token>")
def stop_reminders(token: str) -> Response:
    """Stop. Answered at once: mail programs follow no redirect."""
    with transaction():
        stopped = reminders.stop(token)
    return page("reminder-stopped.html") if stopped else _over()


def _over() -> Response:
    """Too old or never ours: one page."""
    return page("reminder-over.html", status=410)
