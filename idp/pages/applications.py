"""One's own account: the applications that have access, and taking it back."""

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from idp.flow import applications as flow
from idp.flow.applications import Application
from idp.flow.visit import Visit
from idp.pages import scopes, words
from idp.pages.blueprint import blueprint
from idp.web.guard import account_page
from idp.web.responses import page


@blueprint.get("/account/applications")
@account_page
def account_applications(visit: Visit) -> Response:
    """Which, since when, what for."""
    listed = [_described(one) for one in flow.listing(visit)]
    withdrawn = request.args.get("withdrawn") == "1"
    return page("account-applications.html", applications=listed, withdrawn=withdrawn)


@blueprint.post("/account/applications/withdraw")
@account_page
def withdraw_access(visit: Visit) -> Response:
    """«Retirer l’accès»."""
    gone = flow.withdraw(visit, request.form.get("client_id", ""))
    return redirect(url_for("pages.account_applications", withdrawn=int(gone)), 303)


def _described(one: Application) -> dict[str, object]:
    return {
        "client": one.client,
        "since": words.day(one.since),
        "used": words.day(one.used_at) if one.used_at else None,
        "learns": scopes.in_words(one.scopes),
    }
