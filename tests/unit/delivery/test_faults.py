"""Gateways that are dead, slow, talk nonsense or hang up in mid-answer: nothing hangs, nothing is lost."""

import socket
import struct
import threading
import time
from contextlib import contextmanager
from datetime import timedelta

import pytest
import time_machine

from idp import clock
from idp.delivery import outbox
from idp.delivery.models import OutboxStatus
from idp.extensions import db
from tests.support.faults import dribbles, eventually, faulty, says, silent, smtp
from tests.support.outbox import leave, rows
from tests.support.ports import free_port
from tests.support.settings import override

TIMEOUT = 0.5
SPEAKS_AGAIN = timedelta(seconds=40)

MAIL_FAULTS = {
    "silent": silent,
    "hangs up at once": says(),
    "hangs up in its greeting": says(b"220 mail.exa"),
    "dribbles its greeting": dribbles(b"2"),
    "dribbles lines without end": dribbles(b"220-more\r\n"),
    "talks nonsense": says(b"\x00\xff\x16\x03 what?\r\n" * 20),
    "is no mail server": says(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    "says one line of a megabyte": says(b"220 " + b"x" * 1_000_000),
    "refuses all": says(b"554 5.3.2 not today\r\n"),
    "silent after MAIL": smtp(until=b"MAIL", then=silent),
    "silent after RCPT": smtp(until=b"RCPT", then=silent),
    "silent after DATA": smtp(until=b"DATA", then=silent),
    "silent after the mail": smtp(until=b".\r\n", then=silent),
    "hangs up after RCPT": smtp(until=b"RCPT", then=says()),
    "hangs up after the mail": smtp(until=b".\r\n", then=says()),
    "hangs up in its last answer": smtp(until=b".\r\n", then=says(b"25")),
    "dribbles its last answer": smtp(until=b".\r\n", then=dribbles(b"250-")),
    "talks nonsense after RCPT": smtp(until=b"RCPT", then=says(b"\xff\xfe\r\n")),
    "closes after MAIL": smtp(until=b"MAIL", then=says(b"421 4.3.2 closing\r\n")),
}


def http(*parts):
    """Waits for a request, then says this and hangs up."""

    def script(connection: socket.socket) -> None:
        connection.recv(65536)
        says(*parts)(connection)

    return script


SMS_FAULTS = {
    "silent": silent,
    "hangs up at once": says(),
    "hangs up in its status": http(b"HTTP/1.1 20"),
    "talks nonsense": http(b"\x00\xff\x16\x03 what?\r\n\r\n"),
    "is no web server": says(b"220 mail.example ESMTP\r\n"),
    "dribbles its headers": dribbles(b"HTTP/1.1 200 OK\r\nX: y\r\n"),
    "sends headers without end": http(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 5000),
    "fails": http(b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n"),
}


@pytest.fixture
def watched(capfd, caplog):
    """Nothing hangs, and nothing secret is said."""

    @contextmanager
    def watch():
        began = time.monotonic()
        yield
        assert time.monotonic() - began < TIMEOUT + 2
        said = capfd.readouterr().err + caplog.text + str([row.last_error for row in rows()])
        for secret in ("123456", "someone@", "791234567"):
            assert secret not in said

    return watch


def retried(channel="email"):
    """Once the gateway works again, when the pause is over."""
    with time_machine.travel(clock.now() + SPEAKS_AGAIN):
        outbox.deliver_due("w", channel)


@pytest.mark.parametrize("fault", MAIL_FAULTS.values(), ids=MAIL_FAULTS)
def test_a_faulty_mail_server_costs_its_time_out_and_no_message(app, inbox, watched, fault):
    options = {"smtp_host": "127.0.0.1", "smtp_timeout": timedelta(seconds=TIMEOUT)}
    leave()
    with faulty(fault) as port, override(app, smtp_port=port, **options), watched():
        outbox.deliver_due("w")
    assert rows()[0].status is OutboxStatus.WAITING
    retried()
    assert [message.to for message in inbox.messages] == ["someone@example.ch"]


@pytest.mark.parametrize("fault", SMS_FAULTS.values(), ids=SMS_FAULTS)
def test_a_faulty_sms_gateway_costs_its_time_out_and_no_message(app, inbox, watched, fault):
    leave("+41791234567", channel="sms")
    with faulty(fault) as port:
        options = {
            "sms_url": f"http://127.0.0.1:{port}/{{digits}}",
            "sms_timeout": timedelta(seconds=TIMEOUT),
        }
        with override(app, **options), watched():
            outbox.deliver_due("w")
    assert rows()[0].status is OutboxStatus.WAITING
    retried("sms")
    assert [message.to for message in inbox.messages] == ["+41791234567"]


@pytest.mark.parametrize(
    "rest", [b"Content-Le", b"Content-Length: 100\r\n\r\nhalf"], ids=["headers", "body"]
)
def test_an_answer_that_breaks_off_after_its_yes_is_a_yes(app, watched, rest):
    """And the number, which some gateways want in the URL, is in no log."""
    leave("+41791234567", channel="sms")
    with faulty(http(b"HTTP/1.1 200 OK\r\n" + rest)) as port:
        url = f"http://127.0.0.1:{port}/{{digits}}"
        with override(app, sms_url=url), watched():
            outbox.deliver_due("w")
    assert rows()[0].status is OutboxStatus.SENT


SMPP_FAULTS = {
    "silent": silent,
    "hangs up at once": says(),
    "hangs up in a length": says(b"\x00\x00"),
    "hangs up in a header": says(struct.pack(">LL", 16, 0x80000009)),
    "names a huge length": says(struct.pack(">LLLL", 0xFFFFFFF0, 0x80000009, 0, 1)),
    "names no length": says(struct.pack(">LLLL", 0, 0, 0, 0)),
    "names an unknown command": says(struct.pack(">LLLL", 16, 0x12345678, 0, 1)),
    "talks nonsense": says(b"220 mail.example ESMTP\r\n" * 10),
    "answers torn fields": says(struct.pack(">LLLL", 20, 0x80000009, 0, 1) + b"abcd"),
    "dribbles": dribbles(b"\x00"),
    "asks without end": dribbles(struct.pack(">LLLL", 16, 0x15, 0, 7)),
}


@pytest.mark.parametrize("fault", SMPP_FAULTS.values(), ids=SMPP_FAULTS)
def test_a_faulty_message_centre_costs_its_time_out_and_no_message(
    app, inbox, watched, tmp_path, fault
):
    leave("+41791234567", channel="sms")
    with faulty(fault) as port:
        path = tmp_path / "routes.toml"
        path.write_text(ROUTES.format(smtp=inbox.smtp_port, smpp=port, timeout=TIMEOUT))
        with override(app, delivery_routes=path), watched():
            outbox.deliver_due("w")
    assert rows()[0].status is OutboxStatus.WAITING
    retried("sms")
    assert [message.to for message in inbox.messages] == ["+41791234567"]


def endless(connection: socket.socket) -> None:
    """Announces four gigabytes, and never sends them."""
    connection.sendall(struct.pack(">LLLL", 0xFFFFFFF0, 0x80000009, 0, 1))
    silent(connection)


def test_a_pdu_that_is_larger_than_any_ends_the_session_at_once(app, inbox, tmp_path):
    leave("+41791234567", channel="sms")
    path = tmp_path / "routes.toml"
    with faulty(endless) as port:
        path.write_text(ROUTES.format(smtp=inbox.smtp_port, smpp=port, timeout=TIMEOUT))
        with override(app, delivery_routes=path):
            outbox.deliver_due("w")
    assert rows()[0].last_error == "centre: ConnectionError"


ROUTES = """
[[mail]]
name = "mail"
host = "localhost"
port = {smtp}
security = "none"

[[sms]]
name = "centre"
type = "smpp"
host = "127.0.0.1"
port = {smpp}
system_id = "seuil"
password = "secret"
sender = "Seuil"
timeout = {timeout}
"""

TWO = """
[[mail]]
name = "first"
host = "127.0.0.1"
port = {first}
security = "none"
timeout = {timeout}

[[mail]]
name = "spare"
host = "127.0.0.1"
port = {spare}
security = "none"
"""


@pytest.mark.parametrize("fault", ["silent", "talks nonsense", "silent after the mail", "dead"])
def test_mail_goes_over_the_next_route_and_those_after_it_do_not_wait(app, inbox, tmp_path, fault):
    with faulty(MAIL_FAULTS.get(fault, silent)) as port:
        first = free_port() if fault == "dead" else port
        path = tmp_path / "routes.toml"
        path.write_text(TWO.format(first=first, spare=inbox.smtp_port, timeout=TIMEOUT))
        with override(app, delivery_routes=path):
            for number in range(10):
                leave(f"p{number}@example.ch")
            began = time.monotonic()
            outbox.deliver_due("w")
            assert time.monotonic() - began < TIMEOUT + 2
    assert len(inbox.messages) == 10
    assert {row.route for row in rows()} == {"spare"}


def test_lanes_that_hang_are_not_piled_up(app, inbox):
    """A greeting that never ends holds its thread; after three of them no more are begun."""
    before = set(threading.enumerate())
    options = {"smtp_host": "127.0.0.1", "smtp_timeout": timedelta(seconds=0.2)}
    with faulty(dribbles(b"220-more\r\n")) as port, override(app, smtp_port=port, **options):
        for number in range(8):
            leave(f"p{number}@example.ch")
        outbox.deliver_due("w")
        lanes = [t for t in set(threading.enumerate()) - before if t.name == "lane-smtp"]
        assert 0 < len(lanes) <= 3
        assert "smtp: still hangs" in {row.last_error for row in rows()}
    eventually(lambda: not any(lane.is_alive() for lane in lanes))
    db.session.rollback()
