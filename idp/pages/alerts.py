"""«This was not me»: the page behind the link of a notice. Opening it changes nothing; its button acts."""

from flask import redirect, url_for
from flask_babel import lazy_gettext as _
from werkzeug.wrappers import Response

from idp.accounts import account as accounts
from idp.accounts.addresses import mask_email
from idp.extensions import transaction
from idp.flow import alerts
from idp.flow.alerts import Alert, AlertKind, Confirmed
from idp.pages import words
from idp.pages.blueprint import blueprint
from idp.web.responses import page

_WHAT = {
    AlertKind.MIGRATING: _(
        "Quelqu’un qui connaît l’ancien mot de passe donne une nouvelle adresse email à l’ancien compte."
    ),
    AlertKind.JOINED: _("Un ancien identifiant a été rattaché au compte."),
    AlertKind.MIGRATED: _("L’ancien compte est devenu un nouveau, avec une adresse email."),
    AlertKind.NEW_BROWSER: _("Quelqu’un s’est connecté depuis un nouveau navigateur."),
    AlertKind.PASSWORD_CHANGED: _("Le mot de passe a été changé."),
    AlertKind.EMAIL_CHANGED: _("L’adresse email, c’est-à-dire l’identifiant, a été changée."),
    AlertKind.PHONE_CHANGED: _("Le numéro de téléphone a été changé ou retiré."),
    AlertKind.RECOVERED: _("Un nouveau mot de passe a été choisi après « Mot de passe oublié »."),
    AlertKind.INVITED_BACK: _(
        "L’assistance a remis un code pour donner au compte une nouvelle adresse email et un nouveau mot "
        "de passe."
    ),
    AlertKind.BROUGHT_BACK: _(
        "Le compte a reçu une nouvelle adresse email et un nouveau mot de passe, avec un code remis par "
        "l’assistance."
    ),
    AlertKind.FROZEN: _("Le compte a été bloqué."),
    AlertKind.UNFROZEN: _("Le compte a été rétabli par l’assistance."),
}


@blueprint.get("/alert/<token:token>")
def alert(token: str) -> Response:
    """Say what happened, and offer to block the account, or to stop what is under way."""
    found = alerts.find(token)
    if found is None:
        return _over()
    return page(
        "alert.html",
        what=_WHAT[found.kind],
        when=words.moment(found.created_at),
        address=_address(found),
    )


def _address(found: Alert) -> str | None:
    """Which account it is about; None: one that is not there yet."""
    account = accounts.by_id(found.account_id) if found.account_id is not None else None
    return mask_email(account.email) if account else None


@blueprint.get("/alert/<path:_cut>")
def cut_alert(_cut: str) -> Response:
    """A link that was copied in part, or with more than itself."""
    return _over()


@blueprint.post("/alert/<token:token>")
def confirm_alert(token: str) -> Response:
    """Block it, or stop it."""
    found = alerts.find(token)
    if found is None:
        return _over()
    with transaction():
        done = alerts.confirm(found)
    if done is None:
        return _over()
    after = {Confirmed.BLOCKED: "pages.alert_blocked", Confirmed.STOPPED: "pages.alert_stopped"}
    return redirect(url_for(after[done]), 303)


@blueprint.get("/alert/blocked")
def alert_blocked() -> Response:
    """What to do next."""
    return page("alert-blocked.html")


@blueprint.get("/alert/stopped")
def alert_stopped() -> Response:
    """What to do next, when there was no account yet."""
    return page("alert-stopped.html")


def _over() -> Response:
    """Used, too old or never ours: one page, so that trying links out tells nothing."""
    return page("alert-over.html", status=410)
