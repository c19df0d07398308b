"""Hanging the pages into the application, with the two that belong to no interaction."""

from flask import Flask, jsonify
from sqlalchemy import text
from werkzeug.wrappers import Response

from idp.extensions import db
from idp.pages import (
    account,
    alerts,
    codes,
    contacts,
    email,
    phone,
    profile,
    recovery,
    second_factor,
    sign_in,
)
from idp.pages.blueprint import blueprint
from idp.web.responses import page

PAGE_MODULES = (
    *(sign_in, email, codes, phone, profile, second_factor, recovery),
    *(alerts, account, contacts),
)
"""Imported for their handlers."""


@blueprint.get("/")
def home() -> Response:
    """Whoever comes by hand learns where to begin."""
    return page("home.html")


@blueprint.get("/healthz")
def healthz() -> Response:
    """200 while the database answers; for load balancers."""
    db.session.execute(text("SELECT 1"))
    return jsonify(status="ok")


def init_app(app: Flask) -> None:
    """Register the blueprint."""
    app.register_blueprint(blueprint)
