"""The list of leaked passwords learns nothing, holds nobody up, and decides nothing when it is unwell."""

import gzip
import ssl
import threading
import time
from contextlib import contextmanager
from datetime import timedelta

import pytest

from idp.accounts import leaked
from idp.accounts.password import PasswordProblem, new_password_problems
from idp.audit.models import AuditEvent
from idp.extensions import db, transaction
from tests.support.certificates import Authority
from tests.support.faults import eventually
from tests.support.journey import NEW_PASSWORD
from tests.support.listserver import ListServer, answer, hashed, listing
from tests.support.people import PASSWORD
from tests.support.ports import free_port
from tests.support.settings import override

QUICK = timedelta(milliseconds=300)
PATIENT = timedelta(seconds=5)


@contextmanager
def asked(app, behave, context=None, timeout=PATIENT):
    """Run with a list that behaves so."""
    server = ListServer(behave, context)
    try:
        with override(app, password_range_url=server.url, password_range_timeout=timeout):
            yield server
    finally:
        server.stop()


def problems(password=NEW_PASSWORD):
    return new_password_problems(password, password, personal=(), legacy_hash=None)


def silences():
    db.session.rollback()
    return db.session.query(AuditEvent).filter_by(event="password_list_silent").count()


def sends(data):
    return lambda connection, _server: connection.sendall(data)


def well(*passwords, count=7):
    return sends(answer(listing(*passwords, count=count)))


def test_without_a_list_nobody_is_asked(app):
    with asked(app, well(NEW_PASSWORD)) as server, override(app, password_range_url=""):
        assert problems() == ()
        assert server.requests == []


def test_a_leaked_password_is_refused_as_common_and_another_is_not(app):
    with asked(app, well("something else", NEW_PASSWORD)):
        assert problems() == (PasswordProblem.COMMON,)
    with asked(app, well("something else")):
        assert problems() == ()
    assert silences() == 0


def test_padding_is_no_leak(app):
    with asked(app, well(NEW_PASSWORD, count=0)):
        assert problems() == ()


def test_the_list_learns_five_characters_of_a_digest_and_is_asked_for_padding(app):
    with asked(app, well()) as server:
        problems()
    (request,) = server.requests
    lines = request.split("\r\n")
    assert lines[0] == f"GET /range/{hashed(NEW_PASSWORD)[:5]} HTTP/1.1"
    assert "Add-Padding: true" in lines
    assert hashed(NEW_PASSWORD)[5:10] not in request
    assert not [line for line in lines if line.lower().startswith(("cookie", "referer", "auth"))]


def test_nobody_is_asked_about_a_password_that_will_not_do_anyway(app):
    with asked(app, well()) as server:
        problems("Motdepasse2024")
        problems("short")
        new_password_problems(NEW_PASSWORD, "something else", personal=(), legacy_hash=None)
        assert server.requests == []


def never(_connection, server):
    server.over.wait(10)


def drips(connection, server):
    """A byte now and then, so that no single read takes long; for ever."""
    for byte in answer(listing(NEW_PASSWORD)):
        connection.sendall(bytes([byte]))
        if server.over.wait(0.05):
            return


def drips_headers(connection, server):
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while not server.over.wait(0.05):
        connection.sendall(b"X-More: and more\r\n")


def endless(connection, server):
    connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    while not server.over.is_set():
        connection.sendall(listing(NEW_PASSWORD))


def too_much():
    """The password, and more lines than are read; where reading stops a line ends."""
    lines = [f"{hashed(NEW_PASSWORD)[5:]}:7", *(f"{number:035X}:0" for number in range(7000))]
    body = "".join(f"{line}\r\n" for line in lines).encode()
    return b" " * ((leaked._LARGEST + 1) % len("0" * 35 + ":0\r\n")) + body


UNWELL = {
    "says nothing": never,
    "drips": drips,
    "drips headers": drips_headers,
    "never ends": endless,
    "hangs up": sends(b""),
    "speaks no HTTP": sends(b"\x00\xff220 ready\r\n"),
    "says too much": sends(answer(too_much())),
    "says 500": sends(answer(listing(NEW_PASSWORD), "500 Sorry")),
    "says 429": sends(answer(b"", "429 Slow down")),
    "says 204": sends(answer(b"", "204 No Content")),
    "shows a page": sends(answer(b"<html><body>Sign in to our hotel</body></html>")),
    "counts in words": sends(answer(f"{hashed(NEW_PASSWORD)[5:]}:many".encode())),
    "is half-written": sends(answer(listing(NEW_PASSWORD)[:-3000], length=40_000)),
    "stops within a line": sends(answer(listing(NEW_PASSWORD)[:20])),
    "is too large": sends(answer(listing(NEW_PASSWORD) * 20)),
    "is packed": sends(
        answer(gzip.compress(listing(NEW_PASSWORD)), more="Content-Encoding: gzip\r\n")
    ),
    "leads elsewhere": sends(answer(b"", "302 Found", more="Location: http://127.0.0.1:1/\r\n")),
}


@pytest.mark.parametrize("behave", UNWELL.values(), ids=UNWELL)
def test_a_list_that_is_unwell_refuses_nothing_holds_nobody_up_and_is_noted(app, behave, capsys):
    with asked(app, behave, timeout=QUICK):
        began = time.monotonic()
        assert problems() == ()
        assert time.monotonic() - began < 2
        assert silences() == 1
        assert "password_list_silent" in capsys.readouterr().err
        assert problems("Motdepasse2024") == (PasswordProblem.COMMON,), "the own lists still count"


def test_a_dead_list_is_an_unwell_one(app):
    with override(app, password_range_url=f"http://127.0.0.1:{free_port()}/range"):
        assert problems() == ()
    assert silences() == 1


def tls(folder, host):
    authority = Authority(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.issue(host))
    return authority, context


def test_a_list_with_a_certificate_of_nobody_we_trust_is_not_believed(app, tmp_path):
    _authority, context = tls(tmp_path, "127.0.0.1")
    with asked(app, well(NEW_PASSWORD), context) as server:
        assert problems() == ()
        assert server.requests == []
    assert silences() == 1


@pytest.mark.parametrize(("host", "believed"), [("127.0.0.1", True), ("list.example", False)])
def test_a_certificate_must_be_for_the_lists_own_name(app, tmp_path, monkeypatch, host, believed):
    authority, context = tls(tmp_path, host)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.file))
    with asked(app, well(NEW_PASSWORD), context):
        assert problems() == ((PasswordProblem.COMMON,) if believed else ())
    assert silences() == (0 if believed else 1)


def test_questions_that_hang_do_not_pile_up(app):
    with asked(app, drips_headers, timeout=QUICK):
        for _ in range(leaked._AT_ONCE + 3):
            assert problems() == ()
        assert silences() == leaked._AT_ONCE + 3
        eventually(lambda: not any(one.name == "outgoing" for one in threading.enumerate()))


def test_nobody_holds_a_connection_while_the_list_is_asked(app):
    """Nor can it be asked inside a transaction."""
    in_use = []

    def looks(connection, _server):
        in_use.append(db.engine.pool.checkedout() if hasattr(db.engine.pool, "checkedout") else 0)
        connection.sendall(answer(listing()))

    with asked(app, lambda connection, server: within(app, looks, connection, server)):
        db.session.query(AuditEvent).count()
        assert problems() == ()
        with pytest.raises(RuntimeError, match="inside a transaction"), transaction():
            leaked.is_leaked(NEW_PASSWORD)
    assert in_use == [0]


def within(app, act, *arguments):
    with app.app_context():
        act(*arguments)


def test_the_page_refuses_a_leaked_password_and_takes_another_while_the_list_is_dead(app, person):
    person.authorize().to_profile("jeanne", PASSWORD, "moi@example.ch")
    with asked(app, well(NEW_PASSWORD)):
        person.finish()
        assert (person.step, person.page.status) == ("profile", 422)
        assert "trop répandu" in person.page.text
    with override(app, password_range_url=f"http://127.0.0.1:{free_port()}/range"):
        assert person.finish().step == "done"
    assert silences() == 1


def test_many_pages_can_ask_at_once(app):
    with asked(app, well()) as server:
        threads = [threading.Thread(target=within, args=(app, problems)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(server.requests) == 3
    assert silences() == 0
