"""Hanging the pages into the application, with the two that belong to no interaction."""

from flask import Flask, jsonify
from sqlalchemy import text
from werkzeug.wrappers import Response

from idp.extensions import csrf, db
from idp.pages import (
    account,
    alerts,
    applications,
    codes,
    consent,
    contacts,
    email,
    invited,
    joining,
    on_record,
    phone,
    profile,
    recovery,
    reminders,
    second_factor,
    sign_in,
    terms,
)
from idp.pages.blueprint import blueprint
from idp.web.responses import page

PAGE_MODULES = (
    *(sign_in, email, codes, phone, profile, second_factor, recovery),
    *(alerts, account, contacts, invited, joining, on_record, reminders),
    *(terms, consent, applications),
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
    """Register the blueprint; the link of a mail is a proof by itself, also in the hands of mail programs."""
    csrf.exempt(reminders.stop_reminders)
    app.register_blueprint(blueprint)
