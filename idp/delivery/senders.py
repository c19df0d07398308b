"""The two ways out: SMTP through Flask-Mail, SMS through an HTTP gateway.

The base does timing, logging and the sorting of errors; a provider is one method.
"""

import abc
import smtplib
import ssl
import time
from typing import ClassVar

import requests
import structlog
from flask import Flask, current_app

from idp.delivery.messages import Mail, Sms
from idp.delivery.smtp import ForgedHeaderError, HardenedMail, MissingAbilityError
from idp.errors import ConfigurationError
from idp.extensions import settings

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_log = structlog.get_logger("seuil.delivery")


class RetryLaterError(Exception):
    """The gateway is not there, or says to come back; the text holds no address and no code."""


class UndeliverableError(Exception):
    """The gateway refuses this message for good."""


class Sender(abc.ABC):
    """One way out."""

    name: ClassVar[str]

    def send(self, message: Mail | Sms) -> None:
        """Send. Raises RetryLaterError or UndeliverableError."""
        began = time.monotonic()
        outcome = "failed"
        try:
            self._send(message)
            outcome = "sent"
        finally:
            took = round((time.monotonic() - began) * 1000)
            _log.info("message", sender=self.name, outcome=outcome, milliseconds=took)

    @abc.abstractmethod
    def _send(self, message: Mail | Sms) -> None: ...


class SmtpSender(Sender):
    """Mail submission (RFC 6409) with verified TLS and time-outs."""

    name = "smtp"

    def __init__(self, mail: HardenedMail) -> None:
        self._mail = mail

    def _send(self, message: Mail | Sms) -> None:
        assert isinstance(message, Mail)
        try:
            with self._mail.connect() as connection:
                connection.deliver(message)
        except MissingAbilityError as error:
            raise UndeliverableError("SMTPUTF8 is not offered") from error
        except ForgedHeaderError as error:
            raise UndeliverableError("the address is no plain address") from error
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError) as error:
            if _code_of(error) >= 500:
                raise UndeliverableError(f"SMTP {_code_of(error)}") from error
            raise RetryLaterError(f"SMTP {_code_of(error)}") from error
        except (smtplib.SMTPException, ssl.SSLError, OSError) as error:
            raise RetryLaterError(type(error).__name__) from error


class HttpSmsSender(Sender):
    """POST `{to, text}` as JSON; 2xx is success, 4xx a refusal, anything else a reason to retry."""

    name = "sms-http"

    def __init__(self) -> None:
        self._session = requests.Session()

    def close(self) -> None:
        """Let go of kept connections."""
        self._session.close()

    def _send(self, message: Mail | Sms) -> None:
        assert isinstance(message, Sms)
        token = settings.sms_token.get_secret_value()
        try:
            with self._session.post(
                settings.sms_url,
                json={"to": message.to, "text": message.text},
                headers={"Authorization": f"Bearer {token}"} if token else {},
                timeout=settings.sms_timeout.total_seconds(),
                allow_redirects=False,
                stream=True,
            ) as answer:
                status = answer.status_code
        except requests.RequestException as error:
            raise RetryLaterError(type(error).__name__) from error
        if 200 <= status < 300:
            return
        if 400 <= status < 500 and status not in {408, 425, 429}:
            raise UndeliverableError(f"HTTP {status}")
        raise RetryLaterError(f"HTTP {status}")


def init_app(app: Flask) -> None:
    """Prepare both senders. Raises ConfigurationError for mail in clear over a network."""
    options = app.extensions["seuil.settings"]
    if options.smtp_security == "none" and options.smtp_host not in _LOOPBACK:
        raise ConfigurationError("IDP_SMTP_SECURITY=none is for a mail server on this machine only")
    app.extensions["seuil.senders"] = {
        "email": SmtpSender(HardenedMail(app)),
        "sms": HttpSmsSender(),
    }


def send(channel: str, message: Mail | Sms) -> None:
    """Send over the channel. Raises RetryLaterError or UndeliverableError."""
    senders: dict[str, Sender] = current_app.extensions["seuil.senders"]
    senders[channel].send(message)


def _code_of(error: smtplib.SMTPRecipientsRefused | smtplib.SMTPDataError) -> int:
    if isinstance(error, smtplib.SMTPDataError):
        return error.smtp_code
    return max((code for code, _text in error.recipients.values()), default=500)
