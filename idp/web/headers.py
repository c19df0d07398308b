"""Security headers of every answer."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from flask import Flask, Response, g, request

from idp.extensions import settings

_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
"""`same-origin`: nothing leaks to other sites, and form checks still see where a post came from."""


def init_app(app: Flask) -> None:
    """Hang the headers on every response."""
    app.after_request(_add)


def allow_forms_to(uris: Iterable[str]) -> None:
    """Let the redirects after a form of this page lead there: Chromium holds them to form-action."""
    g.form_targets = sorted({_origin(uri) for uri in uris})


def allow_image_from(uri: str) -> None:
    """Let one picture of elsewhere be on this page: the logo of a relying party, as registered."""
    if uri:
        g.image_source = _origin(uri)


def _add(response: Response) -> Response:
    response.headers.update(_ALWAYS)
    response.headers["Content-Security-Policy"] = _policy()
    if settings.secure:
        response.headers["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"
    if "Cache-Control" not in response.headers or request.endpoint is None:
        response.headers["Cache-Control"] = "no-store"
    return response


def _policy() -> str:
    targets = " ".join(["'self'", *g.get("form_targets", [])])
    images = " ".join(filter(None, ["'self'", g.get("image_source")]))
    return (
        f"default-src 'none'; style-src 'self'; script-src 'self'; img-src {images}; "
        f"form-action {targets}; frame-ancestors 'none'; base-uri 'none'"
    )


def _origin(uri: str) -> str:
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}"
