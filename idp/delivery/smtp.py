"""Flask-Mail, hardened: verified TLS, a time-out, our own host name, internationalised addresses.

Flask-Mail 0.10 itself checks no certificate, waits for ever, and encodes the local part of an address
as if it were a display name.
"""

import smtplib
import ssl
from email import message_from_bytes
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTPUTF8
from email.utils import formatdate, make_msgid
from urllib.parse import urlsplit

from flask import Flask, current_app
from flask_mail import Connection
from flask_mail import Mail as FlaskMail

from idp.delivery.messages import Mail
from idp.extensions import settings


class MissingAbilityError(Exception):
    """The server cannot carry this address: it does not speak SMTPUTF8 (RFC 6531)."""


class ForgedHeaderError(Exception):
    """A value that would become a header or a text of its own."""


class HardenedConnection(Connection):
    """One SMTP connection."""

    host: smtplib.SMTP

    def configure_host(self) -> smtplib.SMTP:
        """Connect, encrypt with a verified certificate, sign in."""
        timeout = settings.smtp_timeout.total_seconds()
        name = urlsplit(settings.issuer).hostname
        where = (settings.smtp_host, settings.smtp_port)
        host: smtplib.SMTP
        if settings.smtp_security == "tls":
            context = ssl.create_default_context()
            host = smtplib.SMTP_SSL(*where, local_hostname=name, timeout=timeout, context=context)
        else:
            host = smtplib.SMTP(*where, local_hostname=name, timeout=timeout)
        try:
            self._secure(host)
        except BaseException:
            host.close()
            raise
        return host

    def _secure(self, host: smtplib.SMTP) -> None:
        if settings.smtp_security == "starttls":
            host.starttls(context=ssl.create_default_context())
        if settings.smtp_username:
            host.login(settings.smtp_username, settings.smtp_password.get_secret_value())

    def __exit__(self, *failure: object) -> None:
        """Leave politely, but never let a dead connection hide what went wrong."""
        try:
            self.host.quit()
        except smtplib.SMTPException:
            self.host.close()

    def deliver(self, message: Mail) -> None:
        """Send one e-mail, text and HTML. Raises smtplib's errors, and MissingAbilityError."""
        try:
            self.host.send_message(compose(message), settings.mail_from, [message.to])
        except smtplib.SMTPNotSupportedError as error:
            raise MissingAbilityError from error


class HardenedMail(FlaskMail):
    """Flask-Mail whose connections are hardened."""

    def __init__(self, app: Flask) -> None:
        app.config["MAIL_SUPPRESS_SEND"] = False
        super().__init__(app)

    def connect(self) -> HardenedConnection:
        """A connection, to be used as a context manager."""
        return HardenedConnection(current_app.extensions["mail"])


def compose(message: Mail) -> EmailMessage:
    """The message as it travels (RFC 5322, RFC 3834, RFC 6532). Refuses line breaks in headers."""
    mail = EmailMessage(policy=SMTPUTF8)
    mail["From"] = _address(settings.mail_from, settings.mail_from_name)
    mail["To"] = _address(message.to)
    mail["Subject"] = message.subject
    mail["Date"] = formatdate(usegmt=True)
    mail["Message-ID"] = make_msgid(domain=settings.mail_from.rpartition("@")[2])
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text)
    mail.add_alternative(message.html, subtype="html")
    _check_headers(mail)
    return mail


def _check_headers(mail: EmailMessage) -> None:
    """Raises ForgedHeaderError when the written message would be read with other headers than ours."""
    written = message_from_bytes(mail.as_bytes())
    if written.keys() != mail.keys() or written.defects:
        raise ForgedHeaderError


def _address(address: str, name: str = "") -> Address:
    """Part by part: `addr_spec` takes no international local part (RFC 6531).

    Raises ForgedHeaderError for what some software would decode (RFC 2047), this one or a reader's.
    """
    if "=?" in address:
        raise ForgedHeaderError
    local, _, domain = address.rpartition("@")
    return Address(name, local, domain)
