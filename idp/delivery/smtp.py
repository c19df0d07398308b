"""Mail submission (RFC 6409): verified TLS, time-outs, one connection kept, refusals told apart.

Flask-Mail 0.10 itself checks no certificate, waits for ever, and encodes the local part of an address
as if it were a display name.
"""

import contextlib
import re
import smtplib
import socket
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Literal

from flask_mail import Connection
from flask_mail import Mail as FlaskMail

from idp.delivery.compose import ForgedHeaderError, Letterhead, compose
from idp.delivery.messages import Mail
from idp.delivery.senders import RefusedError, RetryLaterError, UndeliverableError

_CHECK_SECONDS = 2.0
"""For so long a kept connection may think about whether it is still there."""


@dataclass(frozen=True)
class SmtpServer:
    """A submission server; `hello` is our own host name, times are seconds."""

    host: str
    port: int
    security: Literal["starttls", "tls", "none"]
    hello: str
    username: str = ""
    password: str = field(default="", repr=False)
    timeout: float = 10.0
    idle: float = 30.0


class HardenedConnection(Connection):
    """One SMTP connection."""

    host: smtplib.SMTP

    def __init__(self, mail: FlaskMail, server: SmtpServer) -> None:
        super().__init__(mail)
        self._server = server

    def configure_host(self) -> smtplib.SMTP:
        """Connect, encrypt with a verified certificate, sign in."""
        server = self._server
        where = (server.host, server.port)
        host: smtplib.SMTP
        if server.security == "tls":
            context = ssl.create_default_context()
            host = smtplib.SMTP_SSL(*where, server.hello, timeout=server.timeout, context=context)
        else:
            host = smtplib.SMTP(*where, server.hello, timeout=server.timeout)
        try:
            self._secure(host)
        except BaseException:
            host.close()
            raise
        return host

    def _secure(self, host: smtplib.SMTP) -> None:
        if self._server.security == "starttls":
            host.starttls(context=ssl.create_default_context())
        if self._server.username:
            host.login(self._server.username, self._server.password)

    def __exit__(self, *failure: object) -> None:
        """Leave politely, but never let a dead connection hide what went wrong."""
        try:
            self.host.quit()
        except (smtplib.SMTPException, OSError):
            self.host.close()

    def alive(self) -> bool:
        """Whether the server still answers; also drops what an earlier message left half-said (RSET)."""
        if self.host.sock is None:
            return False
        with contextlib.suppress(smtplib.SMTPException, OSError):
            self.host.sock.settimeout(min(_CHECK_SECONDS, self._server.timeout))
            code, _text = self.host.rset()
            self.host.sock.settimeout(self._server.timeout)
            return code == 250
        return False


class SmtpSender:
    """One server over one connection, kept between messages while it lives."""

    def __init__(self, mail: FlaskMail, server: SmtpServer, letterhead: Letterhead) -> None:
        self._mail, self._server, self._letterhead = mail, server, letterhead
        self._connection: HardenedConnection | None = None
        self.pulse = server.idle

    def send(self, message: Mail, uid: str) -> str:
        """Submit one mail; no name for it but its Message-ID. Raises as `Sender.send` says."""
        try:
            mail = compose(message, self._letterhead, uid)
        except (ForgedHeaderError, ValueError) as error:
            raise UndeliverableError("the address is no plain address") from error
        try:
            self._submit(mail, message.to)
        except (smtplib.SMTPException, OSError) as error:
            told = _told(error)
            if isinstance(told, RetryLaterError) and told.dead:
                self._cut()
            raise told from error
        return ""

    def tend(self) -> None:
        """Idle for long enough: let the connection go."""
        self.close()

    def problem(self) -> str | None:
        """Connect, encrypt and sign in as for a message."""
        try:
            with HardenedConnection(self._mail, self._server) as connection:
                connection.host.noop()
        except (smtplib.SMTPException, OSError) as error:
            no_tls = isinstance(error, smtplib.SMTPNotSupportedError)
            hint = " (see IDP_SMTP_SECURITY)" if no_tls else ""
            return f"{self._server.host}:{self._server.port} takes no mail: {error}{hint}"
        return None

    def abort(self) -> None:
        """Cut the connection under whoever waits for it."""
        if self._connection and self._connection.host.sock:
            with contextlib.suppress(OSError):
                # Not the method of an SSL socket, which takes its state from under the reader.
                socket.socket.shutdown(self._connection.host.sock, socket.SHUT_RDWR)

    def close(self) -> None:
        """Leave politely."""
        connection, self._connection = self._connection, None
        if connection:
            connection.__exit__()

    def _submit(self, mail: EmailMessage, to: str) -> None:
        kept = self._connection is not None and self._connection.alive()
        try:
            self._deliver(self._connection if kept else self._fresh(), mail, to)
        except smtplib.SMTPSenderRefused as error:
            # A server that has had enough of this connection says so before it takes the next mail.
            if not (kept and error.smtp_code == 421):
                raise
            self._deliver(self._fresh(), mail, to)

    def _fresh(self) -> HardenedConnection:
        self._cut()
        self._connection = HardenedConnection(self._mail, self._server).__enter__()
        return self._connection

    def _deliver(self, connection: HardenedConnection | None, mail: EmailMessage, to: str) -> None:
        assert connection is not None, "kept or fresh"
        try:
            connection.host.send_message(mail, self._letterhead.envelope, [to])
        except smtplib.SMTPNotSupportedError as error:
            raise RefusedError("SMTPUTF8 is not offered") from error

    def _cut(self) -> None:
        connection, self._connection = self._connection, None
        if connection:
            connection.host.close()


def _told(error: Exception) -> RetryLaterError | UndeliverableError:
    """A refused recipient is final (RFC 5321 4.2.1); whatever else is the server's trouble."""
    text: bytes | str
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        ((code, text),) = error.recipients.values()
    elif isinstance(error, smtplib.SMTPResponseException):
        code, text = error.smtp_code, error.smtp_error
    else:
        return RetryLaterError(type(error).__name__)
    about_message = isinstance(error, smtplib.SMTPRecipientsRefused | smtplib.SMTPDataError)
    said = f"SMTP {code}{_enhanced(text)}"
    if about_message and code >= 500:
        return UndeliverableError(f"bounced, {said}")
    return RetryLaterError(said, dead=not about_message or code in {-1, 421})


def _enhanced(text: bytes | str) -> str:
    """The enhanced status code (RFC 3463); never the words, which often quote the address."""
    plain = text.decode("ascii", "replace") if isinstance(text, bytes) else text
    found = re.match(r"[245]\.\d{1,3}\.\d{1,3}(?=\s|$)", plain)
    return f" {found[0]}" if found else ""
