"""Which addresses the provider lets others lead it to."""

import socket
import threading
import time
from ipaddress import ip_network
from pathlib import Path

import pytest

from idp.security.outgoing import Service, SilentError, public_or
from tests.support.faults import dribbles, eventually, faulty, says
from tests.support.signing import publishing

INSIDE = (ip_network("10.1.0.0/16"), ip_network("fd00::/8"))


@pytest.mark.parametrize(
    ("address", "reached"),
    [
        ("8.8.8.8", True),
        ("2001:4860:4860::8888", True),
        ("127.0.0.1", False),
        ("::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:10.1.2.3", True),
        ("10.0.0.1", False),
        ("10.1.2.3", True),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("fe80::1%eth0", False),
        ("fd00::1", True),
        ("fc00::1", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("64:ff9b::a00:1", False),
        ("2002:a00:1::1", False),
        ("::7f00:1", False),
        ("::ffff:0:7f00:1", False),
        ("fec0::1", False),
        ("3fff::1", False),
        ("5f00::1", False),
    ],
)
def test_private_addresses_are_reached_only_where_allowed(address: str, reached: bool) -> None:
    assert public_or(INSIDE)(address) is reached


def test_nothing_is_said_to_an_address_that_is_not_allowed() -> None:
    service = Service(at_once=1, largest=1000)
    with publishing() as server:
        by_name = server.url.replace("127.0.0.1", "localhost")
        for url in (server.url, by_name):
            with pytest.raises(SilentError):
                service.ask("GET", url, 5, public_or(()))
        assert server.asked == 0
        here = public_or((ip_network("127.0.0.0/8"),))
        assert service.ask("GET", server.url, 5, here).status == 200
        assert service.ask("GET", server.url, 5).status == 200


def test_what_the_machine_knows_of_a_host_is_told_to_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".netrc").write_text("default login operator password secret\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    heard: list[bytes] = []

    def script(connection: socket.socket) -> None:
        heard.append(connection.recv(65536))
        connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    with faulty(script) as port:
        assert Service(at_once=1, largest=9).ask("GET", f"http://127.0.0.1:{port}", 5).status == 204
    assert b"GET / HTTP" in heard[0]
    assert b"uthorization" not in heard[0]


@pytest.mark.parametrize(
    "answer",
    [
        b"Transfer-Encoding: chunked\r\n\r\nZZ\r\nabc",
        b"Transfer-Encoding: chunked\r\n\r\n10\r\nabc",
    ],
)
def test_a_broken_answer_is_silence_at_once(answer: bytes) -> None:
    with faulty(says(b"HTTP/1.1 200 OK\r\n", answer)) as port:
        began = time.monotonic()
        with pytest.raises(SilentError):
            Service(at_once=1, largest=1000).ask("GET", f"http://127.0.0.1:{port}", 20)
        assert time.monotonic() - began < 10


def test_a_service_that_never_ends_its_answer_keeps_no_place() -> None:
    """One letter now and then, and no single wait is long."""
    service = Service(at_once=1, largest=1000)
    with faulty(dribbles(b"x")) as slow, publishing() as good:
        for _ in range(2):
            with pytest.raises(SilentError, match="within"):
                service.ask("GET", f"http://127.0.0.1:{slow}", 0.3)
            eventually(lambda: not any(one.name == "outgoing" for one in threading.enumerate()))
        assert service.ask("GET", good.url, 5).status == 200
