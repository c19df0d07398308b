"""In which language to answer."""

from flask import g, has_request_context, request

from idp.extensions import settings
from idp.options import LOCALES


def choose(ui_locales: str) -> str:
    """The client's wish (OIDC `ui_locales`), else the browser's, else the deployment's."""
    for tag in ui_locales.split():
        if tag.partition("-")[0].lower() in LOCALES:
            return tag.partition("-")[0].lower()
    return request.accept_languages.best_match(LOCALES) or settings.default_locale


def select() -> str:
    """For Flask-Babel: the interaction's language once the guard has loaded one."""
    if not has_request_context():
        return settings.default_locale
    chosen: str = g.get("locale") or choose(request.args.get("ui_locales", ""))
    return chosen
