"""Errors as pages (or JSON at token-type endpoints): constant words and a reference, never detail."""

import secrets

import structlog
from flask import Flask, jsonify, request, url_for
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from idp.errors import PageError
from idp.web.responses import page

_log = structlog.get_logger("seuil.error")
_JSON_PATHS = {
    *("/token", "/userinfo", "/introspect", "/revoke", "/par", "/register"),
    *("/jwks", "/.well-known/openid-configuration", "/healthz"),
}

_TEXTS = {
    400: _("Cette demande est mal formée. Revenez au service et réessayez."),
    404: _("Cette page n’existe pas."),
    405: _("Cette page ne s’ouvre pas de cette façon. Revenez au service et réessayez."),
    413: _("Ce formulaire est trop grand."),
}
_FORM_LOST = _("Ce formulaire n’est plus valable. Rouvrez la page et réessayez.")
_BUG = _("Une erreur s’est produite chez nous. Réessayez dans quelques minutes.")
_OVERLOADED = _(
    "Trop de personnes utilisent le service en ce moment. Réessayez dans quelques secondes."
)
_NOTHING_TO_STAND_ON = {"SQLITE_CONSTRAINT_FOREIGNKEY", "23503"}
"""What the engines call a foreign key that leads nowhere."""
_RETRY_AFTER = "5"
"""Seconds; whoever waited in vain for the database need not hurry."""


def init_app(app: Flask) -> None:
    """Register the handlers."""
    app.register_error_handler(PageError, _page_error)
    app.register_error_handler(CSRFError, _form_lost)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(IntegrityError, _stale)
    app.register_error_handler(OperationalError, _unavailable)
    app.register_error_handler(PoolTimeoutError, _unavailable)
    app.register_error_handler(Exception, _bug)


def _page_error(error: PageError) -> Response:
    reference = _noted("page_error", status=error.status, reason=error.message)
    return _answer(error.status, gettext(error.message), reference, error.return_to)


def _form_lost(_error: CSRFError) -> Response:
    reference = _noted("form_lost", status=400)
    return _answer(400, str(_FORM_LOST), reference, _reopened())


def _reopened() -> str:
    """Where a lost form can be had anew; not every address that takes one shows it."""
    match request.view_args:
        case {"interaction_id": interaction_id}:
            return url_for("pages.dispatch", interaction_id=interaction_id)
        case {"token": token}:
            return url_for("pages.alert", token=token)
    return url_for("pages.account") if request.path.startswith("/account") else "/"


def _http_error(error: HTTPException) -> Response:
    status = error.code or 500
    reference = _noted("http_error", status=status)
    answer = _answer(status, str(_TEXTS.get(status, _TEXTS[400])), reference, None)
    answer.headers.extend(
        kept for kept in error.get_headers() if kept[0] in {"Allow", "Retry-After"}
    )
    return answer


def _bug(_error: Exception) -> Response:
    reference = _reference()
    _log.exception("bug", reference=reference, endpoint=request.endpoint, method=request.method)
    return _answer(500, str(_BUG), reference, None)


def _stale(error: IntegrityError) -> Response:
    """What a row was to stand on is gone, as an application that has just deleted its registration: processes
    know of that within two seconds. Any other broken rule is a bug."""
    if _code(error) not in _NOTHING_TO_STAND_ON:
        return _bug(error)
    return _answer(400, str(_TEXTS[400]), _noted("stale", status=400), None)


def _unavailable(error: OperationalError | PoolTimeoutError) -> Response:
    """The database is locked, full of connections, or gone; nothing was done."""
    reference = _reference()
    _log.exception("database_unavailable", reference=reference, code=_code(error))
    answer = _answer(503, str(_OVERLOADED), reference, None)
    answer.headers["Retry-After"] = _RETRY_AFTER
    return answer


def _code(error: OperationalError | IntegrityError | PoolTimeoutError) -> str | None:
    """What the driver calls it, without the words, which quote rows."""
    cause = getattr(error, "orig", None)
    return getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None)


def _answer(status: int, text: str, reference: str, return_to: str | None) -> Response:
    if request.path in _JSON_PATHS or request.path.startswith("/register/"):
        kinds = {500: "server_error", 503: "temporarily_unavailable"}
        kind = kinds.get(status, "invalid_request")
        answer = jsonify(error=kind, reference=reference)
        answer.status_code = status
        return answer
    context = {"text": text, "reference": reference, "return_to": return_to}
    return page("error.html", status=status, **context)


def _noted(event: str, **details: object) -> str:
    reference = _reference()
    _log.warning(event, reference=reference, endpoint=request.endpoint, **details)
    return reference


def _reference() -> str:
    """What a person can read to support on the telephone."""
    return secrets.token_hex(4).upper()


def msgids() -> list[str]:
    """The texts of `PageError`, for the catalogue: they are raised below the room that translates."""
    return [
        _("Ce lien de connexion est incomplet. Revenez au service et réessayez."),
        _("Ce lien de connexion vient d’un service inconnu."),
        _("Ce lien de connexion mène à une adresse qui n’est pas celle du service."),
        _("Ce lien de déconnexion est mal formé. Revenez au service et réessayez."),
        _("Ce lien de déconnexion se contredit. Revenez au service et réessayez."),
        _("Ce service n’est plus enregistré."),
        _(
            "Trop de connexions ont été commencées depuis votre réseau. Réessayez dans quelques "
            "minutes."
        ),
        _(
            "Cette page n’est pas ouverte dans le navigateur où la connexion a commencé, ou les "
            "cookies y sont refusés. Revenez au service et reconnectez-vous."
        ),
        _(
            "Cette connexion a duré trop longtemps. Recommencez : ce que vous aviez choisi est gardé."
        ),
    ]
