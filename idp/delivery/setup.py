"""Hanging the routes of the configuration into the application."""

from functools import partial

from flask import Flask
from flask_mail import Mail as FlaskMail

from idp.delivery import receipts, route_file
from idp.delivery.routes import MARGIN, Route, Routes
from idp.errors import ConfigurationError


def init_app(app: Flask) -> None:
    """Prepare every route; nothing is connected yet. Raises ConfigurationError."""
    options = app.extensions["seuil.settings"]
    app.config["MAIL_SUPPRESS_SEND"] = False
    plans = route_file.plans(options, FlaskMail(app), partial(receipts.note, app))
    routes = Routes(
        mail=tuple(Route(plan) for plan in plans.mail), sms=tuple(Route(plan) for plan in plans.sms)
    )
    needed = routes.longest() + MARGIN
    if options.outbox_lease.total_seconds() < needed:
        why = "one message may wait for all its routes, one after the other"
        raise ConfigurationError(f"IDP_OUTBOX_LEASE must be at least {needed:g} seconds: {why}")
    app.extensions["seuil.routes"] = routes
