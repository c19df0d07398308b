"""Our cookies: one that names the browser, one that carries its session. Only digests are stored."""

import re

from flask import Response as FlaskResponse
from flask import after_this_request, g, request
from werkzeug.wrappers import Response

from idp.extensions import settings
from idp.security import tokens

_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")


def known_browser() -> str | None:
    """Digest of the secret this browser came with; None when it came without."""
    secret = request.cookies.get(name_of("seuil-browser"), "")
    return tokens.digest(secret) if _SECRET.fullmatch(secret) else None


def present_browser() -> str | None:
    """As `known_browser`, or of the secret that it gets with this very response."""
    return known_browser() or g.get("new_browser")


def browser_digest() -> str:
    """Digest of this browser's secret; a new one is set on the response when it has none."""
    return present_browser() or _new_browser()


def session_token() -> str | None:
    """The value of the session cookie, as far as it can be one of ours."""
    token = request.cookies.get(name_of("seuil-session"), "")
    return token if _SECRET.fullmatch(token) else None


def set_session(response: Response, token: str) -> None:
    """Give the browser its session. It ends with the browser; the server ends it sooner."""
    put(response, "seuil-session", token)


def clear_session(response: Response) -> None:
    """Take the session cookie away."""
    put(response, "seuil-session", "", max_age=0)


def _new_browser() -> str:
    secret = tokens.new_token()
    g.new_browser = tokens.digest(secret)

    @after_this_request
    def give(response: FlaskResponse) -> FlaskResponse:
        put(response, "seuil-browser", secret)
        return response

    return tokens.digest(secret)


def name_of(name: str) -> str:
    """The name a cookie goes by: browsers hold `__Host-` ones to https, this host and the whole path
    (RFC 6265bis 4.1.3)."""
    return f"__Host-{name}" if settings.secure else name


def put(response: Response, name: str, value: str, max_age: int | None = None) -> None:
    """Set one of our cookies, for `max_age` seconds or until the browser is closed."""
    response.set_cookie(
        name_of(name),
        value,
        max_age=max_age,
        path="/",
        secure=settings.secure,
        httponly=True,
        samesite="Lax",
    )
