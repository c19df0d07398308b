"""What can be wrong with the servers that a deployment talks to: mail, SMS, old user stores."""

import smtplib
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

from flask import Flask

from idp.cli.checks import Finding, NeighbourCheck
from idp.delivery import senders
from idp.delivery.smtp import HardenedMail
from idp.errors import ConfigurationError
from idp.extensions import settings
from idp.legacy import registry as legacy


def smtp(app: Flask) -> Iterator[Finding]:
    """Connect, encrypt and sign in as the sender does."""
    try:
        senders.init_app(app)
        with HardenedMail(app).connect() as connection:
            connection.host.noop()
    except ConfigurationError as error:
        yield Finding("error", "smtp", str(error))
    except (smtplib.SMTPException, OSError) as error:
        where = f"{settings.smtp_host}:{settings.smtp_port}"
        yield Finding("error", "smtp", f"{where} takes no mail: {error}")
    else:
        yield Finding("ok", "smtp", f"{settings.smtp_host}:{settings.smtp_port} answers")
    if settings.secure and settings.mail_from.endswith("@localhost"):
        message = f"IDP_MAIL_FROM is {settings.mail_from}: it will be taken for spam"
        yield Finding("warning", "smtp", message)


def sms(_app: Flask) -> Iterator[Finding]:
    """Is a gateway set, safe, and there? No message is sent."""
    if not settings.sms_enabled:
        message = "no gateway (IDP_SMS_URL): the phone step is left out, codes go by e-mail"
        yield Finding("warning", "sms", message)
        return
    url = urlsplit(settings.sms_url)
    if url.scheme != "https" and settings.secure:
        yield Finding("error", "sms", "IDP_SMS_URL is not https: codes would travel in clear")
    where = (url.hostname or "", url.port or (443 if url.scheme == "https" else 80))
    try:
        socket.create_connection(where, settings.sms_timeout.total_seconds()).close()
    except OSError as error:
        yield Finding("error", "sms", f"{where[0]}:{where[1]} cannot be reached: {error}")
    else:
        yield Finding("ok", "sms", f"{where[0]}:{where[1]} answers")


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
        problem = source.problem()
        if problem:
            yield Finding("error", "legacy", f"{source.name} {problem}")
        else:
            yield Finding("ok", "legacy", f"{source.name} answers")


ALL: tuple[NeighbourCheck, ...] = (smtp, sms, old_stores)
