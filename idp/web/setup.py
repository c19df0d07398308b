"""Preparing Flask: cookies, forms, language, proxies, sizes, host."""

from urllib.parse import urlsplit

import structlog
from flask import Flask, abort, request
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import BaseConverter

from idp.extensions import babel, csrf, settings
from idp.web import documents, errors, headers, locale

_log = structlog.get_logger("seuil.web")

_LARGEST_BODY = 64 * 1024


def init_app(app: Flask) -> None:
    """Set up everything that answers share."""
    options = app.extensions["seuil.settings"]
    _configure(app, secure=options.secure)
    if options.trusted_proxies:
        hops = options.trusted_proxies
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops
        )
    app.jinja_env.globals.update(
        support_contact=options.support_contact,
        house=options.mail_from_name,
        get_locale=locale.select,
        sms_enabled=lambda: settings.sms_enabled,
        documents=documents.ours,
    )
    app.url_map.converters["token"] = _TokenConverter
    app.before_request(_own_host)
    app.before_request(_body_of_known_length)
    csrf.init_app(app)
    babel.init_app(
        app,
        default_locale=options.default_locale,
        locale_selector=locale.select,
        default_timezone=options.timezone,
    )
    errors.init_app(app)
    headers.init_app(app)


def _configure(app: Flask, *, secure: bool) -> None:
    app.config.update(
        MAX_CONTENT_LENGTH=_LARGEST_BODY,
        MAX_FORM_MEMORY_SIZE=_LARGEST_BODY,
        MAX_FORM_PARTS=50,
        SESSION_COOKIE_NAME="__Host-seuil-form" if secure else "seuil-form",
        SESSION_COOKIE_SECURE=secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
        # The interaction's own end limits a form's life.
        WTF_CSRF_TIME_LIMIT=None,
    )


class _TokenConverter(BaseConverter):
    """A name that `security.tokens.new_token` makes; nothing else reaches a view, let alone a database."""

    regex = "[A-Za-z0-9_-]{43}"


def _body_of_known_length() -> None:
    """A body in chunks is parsed while a view reads it, and a broken one fails there: nobody has to send so."""
    if "Transfer-Encoding" in request.headers:
        abort(411)


def _own_host() -> tuple[str, int, dict[str, str]] | None:
    """Answer under the issuer's name only, so that no forged Host ends up anywhere.

    In plain text: with a host that is no host, not even a link in a page can be made.
    """
    own = urlsplit(settings.issuer).netloc
    if request.host == own or request.path == "/healthz":
        return None
    _log.warning("foreign_host", host=request.host[:100], expected=own)
    return "Bad request: this service has another name.\n", 400, {"Content-Type": "text/plain"}
