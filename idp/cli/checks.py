"""What can be wrong with a deployment, each looked at by one function."""

import os
import smtplib
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from config import Settings
from idp import schema
from idp.app import create_app
from idp.clients import manage
from idp.delivery.smtp import HardenedMail
from idp.errors import ConfigurationError
from idp.extensions import db
from idp.keys import kek, signing
from idp.legacy import registry as legacy


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    level: Literal["ok", "warning", "error"]
    what: str
    message: str


def run(settings: Settings) -> list[Finding]:
    """Look at everything; later checks need what earlier ones found."""
    findings = [*_misspelt(), *_issuer(settings), *_key_file(settings), *_engine(settings)]
    try:
        app = create_app(settings)
    except ConfigurationError as error:
        return [*findings, Finding("error", "configuration", str(error))]
    with app.app_context():
        findings += _database()
        if all(finding.level != "error" for finding in findings):
            findings += [finding for look in _LOOKS for finding in look(app)]
    return findings


def _misspelt() -> Iterator[Finding]:
    known = {f"IDP_{name.upper()}" for name in Settings.model_fields} | {"IDP_ENV_FILE"}
    for name in sorted(name for name in os.environ if name.startswith("IDP_")):
        if name not in known:
            yield Finding("warning", "options", f"{name} is no option: is it misspelt?")


def _issuer(settings: Settings) -> Iterator[Finding]:
    if settings.secure:
        yield Finding("ok", "issuer", settings.issuer)
    else:
        yield Finding("warning", "issuer", f"{settings.issuer} is plain http: fit for a trial only")


def _key_file(settings: Settings) -> Iterator[Finding]:
    try:
        kek.load(settings.kek_file)
    except ConfigurationError as error:
        yield Finding("error", "key-encryption key", str(error))
        return
    if settings.kek_file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        message = f"{settings.kek_file} can be read by others: chmod 600"
        yield Finding("error", "key-encryption key", message)
    else:
        yield Finding("ok", "key-encryption key", str(settings.kek_file))


def _engine(settings: Settings) -> Iterator[Finding]:
    if settings.database_url.startswith("sqlite"):
        yield Finding("warning", "engine", "SQLite: one machine only; PostgreSQL for more")
    else:
        yield Finding("ok", "engine", settings.database_url.partition(":")[0])


def _database() -> Iterator[Finding]:
    try:
        db.session.execute(text("SELECT 1"))
        current = schema.is_current()
    except SQLAlchemyError as error:
        yield Finding("error", "database", f"not reachable: {type(error).__name__}")
        return
    if current:
        yield Finding("ok", "database", "reachable, schema up to date")
    else:
        yield Finding("error", "database", "the schema is behind: run `idp db upgrade`")


def _signing_keys(_app: Flask) -> Iterator[Finding]:
    for alg in signing.ALGORITHMS:
        try:
            yield Finding("ok", "signing keys", f"{alg}: {signing.active(alg).kid}")
        except ConfigurationError as error:
            yield Finding("error", "signing keys", str(error))


def _clients(_app: Flask) -> Iterator[Finding]:
    count = len(manage.listing())
    if count:
        yield Finding("ok", "clients", f"{count} registered")
    else:
        yield Finding("warning", "clients", "none is registered: see `idp clients create`")


def _smtp(app: Flask) -> Iterator[Finding]:
    try:
        with HardenedMail(app).connect() as connection:
            connection.host.noop()
    except (smtplib.SMTPException, OSError) as error:
        yield Finding("error", "smtp", f"no mail can be sent: {type(error).__name__}: {error}")
    else:
        yield Finding("ok", "smtp", "reachable")


def _sms(app: Flask) -> Iterator[Finding]:
    settings: Settings = app.extensions["seuil.settings"]
    if not settings.sms_enabled:
        yield Finding("warning", "sms", "no gateway (IDP_SMS_URL): codes go by e-mail only")
    elif settings.sms_url.startswith("http://") and settings.secure:
        yield Finding("error", "sms", "IDP_SMS_URL is plain http: codes would travel in clear")
    else:
        yield Finding("ok", "sms", settings.sms_url)


def _legacy(_app: Flask) -> Iterator[Finding]:
    sources = legacy.current().sources
    if not sources:
        yield Finding("warning", "legacy", "no source (IDP_LEGACY_SOURCES): nobody can migrate")
    for source in sources:
        if source.ping():
            yield Finding("ok", "legacy", f"{source.name} answers")
        else:
            yield Finding("error", "legacy", f"{source.name} does not answer")


_LOOKS: tuple[Callable[[Flask], Iterator[Finding]], ...] = (
    _signing_keys,
    _clients,
    _smtp,
    _sms,
    _legacy,
)
