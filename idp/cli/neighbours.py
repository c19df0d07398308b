"""What can be wrong with the servers that a deployment talks to: mail, SMS, old user stores."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Literal, cast

from flask import Flask
from phonenumbers import country_code_for_region
from sqlalchemy.exc import SQLAlchemyError

from idp import clock
from idp.cli.checks import Finding, NeighbourCheck
from idp.delivery import routes
from idp.delivery import setup as delivery
from idp.delivery.messages import Mail, Sms
from idp.delivery.routes import Route, Routes
from idp.errors import ConfigurationError
from idp.extensions import settings
from idp.legacy import registry as legacy
from idp.legacy.imported import ImportedSource
from idp.legacy.source import LegacySource
from idp.migration import callbacks, campaign
from idp.migration.campaign import DoorState

_LONG_UNTOLD = timedelta(days=1)


def mail_and_sms(app: Flask) -> Iterator[Finding]:
    """Is every route well described, safe, and there? No message is sent."""
    try:
        delivery.init_app(app)
    except ConfigurationError as error:
        yield Finding("error", "routes", str(error))
        return
    ways = routes.current()
    yield from (_looked_at("smtp", route) for route in ways.mail)
    yield from (_looked_at("sms", route) for route in ways.sms)
    yield from _sender_address()
    yield from _sms_options(ways)


def _looked_at(what: str, route: Route[Mail] | Route[Sms]) -> Finding:
    problem = route.problem()
    level, said = ("error", problem) if problem else ("ok", "answers")
    return Finding(cast("Literal['ok', 'error']", level), what, f"{route.plan.name}: {said}")


def _sender_address() -> Iterator[Finding]:
    if settings.secure and settings.mail_from.endswith("@localhost"):
        message = f"IDP_MAIL_FROM is {settings.mail_from}: it will be taken for spam"
        yield Finding("warning", "smtp", message)


def _sms_options(ways: Routes) -> Iterator[Finding]:
    if not ways.sms:
        how = "IDP_SMS_URL or [[sms]] in IDP_DELIVERY_ROUTES"
        message = f"no gateway ({how}): the phone step is left out, codes go by e-mail"
        yield Finding("warning", "sms", message)
        return
    if settings.delivery_routes and settings.sms_url:
        yield Finding("warning", "sms", "IDP_SMS_URL does nothing beside IDP_DELIVERY_ROUTES")
    elif settings.secure and settings.sms_url.startswith("http:"):
        yield Finding("error", "sms", "IDP_SMS_URL is not https: codes would travel in clear")
    unserved = [name for name in settings.sms_countries if not ways.for_number(_prefix(name))]
    if unserved:
        message = f"no route for numbers of {', '.join(unserved)}, which IDP_SMS_COUNTRIES allows"
        yield Finding("warning", "sms", message)


def _prefix(country: str) -> str:
    return f"+{country_code_for_region(country)}"


def old_stores(app: Flask) -> Iterator[Finding]:
    """Does each legacy source answer?"""
    try:
        legacy.init_app(app)
    except ConfigurationError as error:
        yield Finding("error", "legacy", str(error))
        return
    if not legacy.current().sources:
        yield Finding("warning", "legacy", "no source (IDP_LEGACY_SOURCES): nobody can migrate")
    for source in legacy.current().sources:
        if campaign.door_of([source.options], {}, campaign.here()).state is DoorState.CLOSED:
            message = (
                f"{source.options.name} has closed: it is asked nothing, and may be switched off"
            )
            yield Finding("ok", "legacy", message)
            yield from _untold(source)
            continue
        problem = source.problem()
        if problem:
            yield Finding("error", "legacy", f"{source.options.name} {problem}")
        elif isinstance(source, ImportedSource) and not source.count():
            name = source.options.name
            message = f"{name} has no rows: load them with `idp legacy import {name} FILE`"
            yield Finding("warning", "legacy", message)
        else:
            yield Finding("ok", "legacy", f"{source.options.name} answers")
        yield from _untold(source)
    yield from _stranded()


def _stranded() -> Iterator[Finding]:
    try:
        waiting = callbacks.stranded()
    except SQLAlchemyError:
        return
    for name, number in waiting.items():
        message = f"{name} waits to be told of {number} people, and cannot be: put on_migrated back"
        yield Finding("warning", "legacy", message)


def _untold(source: LegacySource) -> Iterator[Finding]:
    """Of a database that is not ready there is a finding already."""
    try:
        untold = callbacks.waiting(source.options.name)
    except SQLAlchemyError:
        return
    if untold.since and untold.since < clock.now() - _LONG_UNTOLD:
        why = f", the last time because: {untold.last_error}" if untold.last_error else ""
        number = f"{untold.count} people since {untold.since:%Y-%m-%d}"
        message = f"{source.options.name} could not be told of {number}{why}; see on_migrated"
        yield Finding("warning", "legacy", message)


ALL: tuple[NeighbourCheck, ...] = (mail_and_sms, old_stores)
