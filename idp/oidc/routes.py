"""Hanging the protocol endpoints into the application."""

from flask import Flask

from idp.extensions import csrf
from idp.oidc import authorization, discovery, logout, token, userinfo

_POSTED_BY_OTHERS = (
    "idp.oidc.authorization.authorize_by_post",
    "idp.oidc.logout.end_session_by_post",
    "idp.oidc.token.token",
    "idp.oidc.userinfo.userinfo",
)
"""Views that relying parties post to; none of them changes anything of who is signed in."""


def init_app(app: Flask) -> None:
    """Register every endpoint of the room."""
    token.init_server(app)
    for view in _POSTED_BY_OTHERS:
        csrf.exempt(view)
    for module in (authorization, token, userinfo, discovery, logout):
        app.register_blueprint(module.blueprint)
