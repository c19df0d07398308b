"""SMTP as submission needs it: verified TLS, time-outs, authentication, whole messages."""

import smtplib
import socket
import ssl
import time
from contextlib import contextmanager
from datetime import timedelta
from email import message_from_bytes, policy

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from pydantic import SecretStr

from idp.delivery import setup, smtp
from idp.delivery.messages import Mail
from idp.delivery.senders import RetryLaterError, UndeliverableError
from idp.errors import ConfigurationError
from tests.support.certificates import Authority
from tests.support.ports import free_port
from tests.support.settings import override

MAIL = Mail("someone@example.ch", "Votre code", "Bonjour, 123456", "<p>Bonjour, 123456</p>")


class Keeper:
    """Keeps what it receives."""

    def __init__(self) -> None:
        self.received = []

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802
        self.received.append(envelope)
        return "250 OK"


@pytest.fixture
def authority(tmp_path, monkeypatch):
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    return authority


def tls_context(pem):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem)
    return context


@pytest.fixture
def starttls_server(authority):
    servers = []

    def start(host, **options):
        keeper = Keeper()
        controller = Controller(
            keeper,
            hostname="127.0.0.1",
            port=free_port(),
            tls_context=tls_context(authority.issue(host)),
            **options,
        )
        controller.start()
        servers.append(controller)
        return keeper, controller.port

    yield start
    for server in servers:
        server.stop()


@contextmanager
def sending(app, port, **changes):
    """One sender of the route that these options make."""
    options = {"smtp_host": "127.0.0.1", "smtp_port": port, "smtp_security": "starttls"} | changes
    with override(app, **options):
        sender = app.extensions["seuil.routes"].mail[0].plan.make()
        try:
            yield sender
        finally:
            sender.close()


def send(app, port, mail=MAIL, **changes):
    with sending(app, port, **changes) as sender:
        sender.send(mail, "uid")


def test_starttls_with_a_certificate_for_this_host_is_accepted(app, starttls_server):
    keeper, port = starttls_server("127.0.0.1", require_starttls=True)
    send(app, port)
    assert keeper.received[0].rcpt_tos == ["someone@example.ch"]
    assert keeper.received[0].mail_from == "no-reply@example.ch"


def test_a_certificate_for_another_host_is_refused(app, starttls_server):
    keeper, port = starttls_server("mail.other.example")
    with pytest.raises(RetryLaterError, match="SSLCertVerificationError"):
        send(app, port)
    assert keeper.received == []


def test_a_certificate_of_an_unknown_authority_is_refused(app, starttls_server, monkeypatch):
    keeper, port = starttls_server("127.0.0.1")
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(RetryLaterError, match="SSLCertVerificationError"):
        send(app, port)
    assert keeper.received == []


def test_a_server_that_cannot_encrypt_gets_nothing(app, inbox):
    with pytest.raises(RetryLaterError, match="SMTPNotSupportedError"):
        send(app, inbox.smtp_port)
    assert inbox.messages == []


def test_implicit_tls_is_verified_too(app, authority):
    keeper = Keeper()
    context = tls_context(authority.issue("127.0.0.1"))
    port = free_port()
    server = Controller(
        keeper, hostname="127.0.0.1", port=port, ssl_context=context, server_hostname="127.0.0.1"
    )
    server.ssl_context = context
    client = ssl.create_default_context(cafile=str(authority.file))
    server._trigger_server = lambda: _greet(port, client)
    server.start()
    try:
        send(app, port, smtp_security="tls")
    finally:
        server.stop()
    assert len(keeper.received) == 1


def _greet(port, context):
    """aiosmtpd wants one connection before it counts as started, and checks no certificate."""
    with (
        socket.create_connection(("127.0.0.1", port), 2) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as encrypted,
    ):
        encrypted.recv(1024)


def test_it_signs_in_when_it_has_a_name(app, starttls_server):
    tried = []

    def authenticate(_server, _session, _envelope, _mechanism, data):
        tried.append((data.login, data.password))
        return AuthResult(success=data.password == b"secret")

    keeper, port = starttls_server("127.0.0.1", authenticator=authenticate, auth_required=True)
    send(app, port, smtp_username="seuil", smtp_password=SecretStr("secret"))
    assert tried == [(b"seuil", b"secret")]
    assert len(keeper.received) == 1
    wrong = {"smtp_username": "seuil", "smtp_password": SecretStr("wrong")}
    with pytest.raises(RetryLaterError):
        send(app, port, **wrong, smtp_timeout=timedelta(seconds=1))
    assert len(keeper.received) == 1


def test_a_silent_server_is_given_up_after_the_time_out(app):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        with pytest.raises(RetryLaterError, match=r"TimeoutError|SMTPServerDisconnected"):
            send(app, silent.getsockname()[1], smtp_timeout=timedelta(seconds=0.3))
        assert time.monotonic() - began < 3


def test_a_dead_server_is_a_reason_to_retry(app):
    with pytest.raises(RetryLaterError, match="ConnectionRefusedError"):
        send(app, free_port())


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("550 no such mailbox", UndeliverableError),
        ("554 refused", UndeliverableError),
        ("451 try again", RetryLaterError),
        ("421 closing", RetryLaterError),
    ],
)
def test_a_refusal_is_for_good_or_for_now(app, inbox, answer, error):
    inbox.smtp_answer = answer
    with pytest.raises(error) as caught:
        send(app, inbox.smtp_port, smtp_security="none")
    assert "someone" not in str(caught.value)


@pytest.mark.parametrize(("code", "dead"), [(450, False), (421, True), (-1, True)])
def test_a_server_that_leaves_or_talks_nonsense_is_dead_and_one_that_waits_is_not(code, dead):
    """smtplib gives -1 to an answer without a code."""
    for error in (
        smtplib.SMTPRecipientsRefused({"a": (code, b"")}),
        smtplib.SMTPDataError(code, b""),
    ):
        assert smtp._told(error).dead is dead


def test_an_error_holds_codes_only_never_the_words_of_a_server(app, inbox):
    inbox.smtp_answer = "550 5.1.1 <someone@example.ch> unknown"
    with pytest.raises(UndeliverableError) as caught:
        send(app, inbox.smtp_port, smtp_security="none")
    assert str(caught.value) == "bounced, SMTP 550 5.1.1"


def test_mail_in_clear_is_for_this_machine_only(app):
    options = {"smtp_security": "none", "smtp_host": "smtp.example.ch"}
    with pytest.raises(ConfigurationError, match="this machine"), override(app, **options):
        setup.init_app(app)


def test_an_internationalised_address_is_reached(app, inbox):
    mail = Mail("rené@exämple.ch", "s", "texte", "<p>x</p>")
    send(app, inbox.smtp_port, mail, smtp_security="none")
    assert inbox.messages[0].to == "rené@exämple.ch"


def test_bounces_go_to_the_envelope_sender(app, starttls_server):
    keeper, port = starttls_server("127.0.0.1")
    send(app, port, mail_envelope_from="bounces@example.ch")
    assert keeper.received[0].mail_from == "bounces@example.ch"
    received = message_from_bytes(keeper.received[0].content, policy=policy.default)
    assert str(received["From"]) == "e-services <no-reply@example.ch>"


class Counting(Keeper):
    """Counts connections, and hangs up before the mail that is told."""

    def __init__(self) -> None:
        super().__init__()
        self.connections = 0
        self.tired_at = ()

    async def handle_EHLO(self, _server, session, _envelope, hostname, responses):  # noqa: N802
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_MAIL(self, server, _session, envelope, address, _options):  # noqa: N802
        if len(self.received) in self.tired_at:
            self.tired_at = ()
            return "421 4.7.0 too many messages over this connection"
        envelope.mail_from = address
        return "250 OK"


@pytest.fixture
def counting():
    keeper = Counting()
    server = Controller(keeper, hostname="127.0.0.1", port=free_port())
    server.start()
    keeper.port, keeper.controller = server.port, server
    yield keeper
    server.stop()


def test_one_connection_serves_many_mails(app, counting):
    with sending(app, counting.port, smtp_security="none") as sender:
        for _ in range(5):
            sender.send(MAIL, "uid")
        assert (counting.connections, len(counting.received)) == (1, 5)
        sender.tend()
        sender.send(MAIL, "uid")
    assert counting.connections == 2, "an idle connection is let go of"


def test_a_connection_that_died_is_made_anew_without_losing_the_mail(app, counting):
    with sending(app, counting.port, smtp_security="none") as sender:
        sender.send(MAIL, "uid")
        sender._connection.host.sock.shutdown(socket.SHUT_RDWR)
        sender.send(MAIL, "uid")
    assert (counting.connections, len(counting.received)) == (2, 2)


def test_a_server_that_has_had_enough_of_a_connection_gets_another(app, counting):
    counting.tired_at = (2,)
    with sending(app, counting.port, smtp_security="none") as sender:
        for _ in range(4):
            sender.send(MAIL, "uid")
    assert (counting.connections, len(counting.received)) == (2, 4)


def test_a_refused_mail_leaves_the_connection_fit_for_the_next(app, inbox):
    with sending(app, inbox.smtp_port, smtp_security="none") as sender:
        inbox.smtp_answer = "550 no such mailbox"
        with pytest.raises(UndeliverableError):
            sender.send(MAIL, "uid")
        kept = sender._connection
        inbox.smtp_answer = "250 OK"
        sender.send(MAIL, "uid")
        assert sender._connection is kept
    assert len(inbox.messages) == 1
