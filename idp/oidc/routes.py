"""Hanging the protocol endpoints into the application."""

from flask import Flask

from idp.extensions import csrf
from idp.oidc import (
    authorization,
    client_authentication,
    discovery,
    introspection,
    logout,
    pushed,
    registration,
    revocation,
    token,
    userinfo,
)
from idp.oidc.server import server

_POSTED_BY_OTHERS = (
    "idp.oidc.authorization.authorize_by_post",
    "idp.oidc.introspection.introspect",
    "idp.oidc.logout.end_session_by_post",
    "idp.oidc.pushed.push",
    "idp.oidc.registration.register",
    "idp.oidc.registration.replace",
    "idp.oidc.registration.forget",
    "idp.oidc.revocation.revoke",
    "idp.oidc.token.token",
    "idp.oidc.userinfo.userinfo",
)
"""Views that relying parties post to; none of them changes anything of who is signed in."""


def init_app(app: Flask) -> None:
    """Register every endpoint of the room."""
    server.init_app(app)
    for name, method in client_authentication.METHODS.items():
        server.register_client_auth_method(name, method)
    for view in _POSTED_BY_OTHERS:
        csrf.exempt(view)
    for module in (
        authorization,
        token,
        userinfo,
        discovery,
        logout,
        revocation,
        introspection,
        pushed,
        registration,
    ):
        app.register_blueprint(module.blueprint)
