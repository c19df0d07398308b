"""«This was not me»: the page behind the link of a notice. Opening it changes nothing; its button acts."""

from flask import redirect, url_for
from flask_babel import lazy_gettext as _
from werkzeug.wrappers import Response

from idp.accounts import account as accounts
from idp.accounts.addresses import mask_email
from idp.extensions import transaction
from idp.flow import alerts
from idp.flow.alerts import AlertKind
from idp.pages import words
from idp.pages.blueprint import blueprint
from idp.web.responses import page

_WHAT = {
    AlertKind.NEW_BROWSER: _("Quelqu’un s’est connecté depuis un nouveau navigateur."),
    AlertKind.PASSWORD_CHANGED: _("Le mot de passe a été changé."),
    AlertKind.EMAIL_CHANGED: _("L’adresse email, c’est-à-dire l’identifiant, a été changée."),
    AlertKind.PHONE_CHANGED: _("Le numéro de téléphone a été changé ou retiré."),
    AlertKind.RECOVERED: _("Un nouveau mot de passe a été choisi après « Mot de passe oublié »."),
    AlertKind.FROZEN: _("Le compte a été bloqué."),
    AlertKind.UNFROZEN: _("Le compte a été rétabli par l’assistance."),
}


@blueprint.get("/alert/<token:token>")
def alert(token: str) -> Response:
    """Say what happened, and offer to block the account."""
    found = alerts.find(token)
    account = accounts.by_id(found.account_id) if found else None
    if found is None or account is None:
        return _over()
    return page(
        "alert.html",
        what=_WHAT[found.kind],
        when=words.moment(found.created_at),
        address=mask_email(account.email),
    )


@blueprint.post("/alert/<token:token>")
def confirm_alert(token: str) -> Response:
    """Block it."""
    found = alerts.find(token)
    if found is None:
        return _over()
    with transaction():
        blocked = alerts.confirm(found)
    return redirect(url_for("pages.alert_blocked"), 303) if blocked else _over()


@blueprint.get("/alert/blocked")
def alert_blocked() -> Response:
    """What to do next."""
    return page("alert-blocked.html")


def _over() -> Response:
    """Used, too old or never ours: one page, so that trying links out tells nothing."""
    return page("alert-over.html", status=410)
