"""Keys at an address of the client's (RFC 7517): see also `tests/oidc/test_private_key_jwt.py`."""

import socket
from ipaddress import ip_network
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import select

from idp.clients import keys
from idp.clients.registration import Registration
from idp.extensions import db
from tests.support.application_server import serving
from tests.support.faults import eventually, faulty
from tests.support.settings import override
from tests.support.signing import make_key, public_set
from tests.support.together import together

ANSWER = b'HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{"keys":[]}'
NONE = {"keys": []}
LOOPBACK = ip_network("127.0.0.0/8")


def test_neither_who_asks_nor_who_waits_for_the_answer_holds_a_connection(app: Flask) -> None:
    pool = db.engine.pool
    all_hold = Barrier(3)
    let_go = []

    def script(connection: socket.socket) -> None:
        connection.recv(65536)
        # Sooner than whoever asks gives up.
        let_go.append(eventually(lambda: not pool.checkedout(), 2))
        connection.sendall(ANSWER)

    def load(_number: int) -> None:
        with app.app_context():
            db.session.scalar(select(1))
            all_hold.wait(10)
            keys.load(client, None)

    db.session.remove()
    with override(app, client_networks=(LOOPBACK,)), faulty(script) as port:
        client = Registration("App", (), jwks_uri=f"http://127.0.0.1:{port}")
        together(3, load)
    assert let_go == [True]


def names(found: tuple[keys.PublicKey, ...]) -> list[str | None]:
    return [key.kid for key in found]


def test_a_key_that_says_what_it_is_for_is_for_nothing_else() -> None:
    """RFC 7517 4.2, 4.4."""
    (key,) = public_set(make_key("RS256"))["keys"]
    says = {
        "signs": {"use": "sig"},
        "encrypts": {"use": "enc"},
        "anything": {},
        **{alg: {"alg": alg} for alg in ("PS256", "RS256", "RSA-OAEP", "RSA-OAEP-256")},
    }
    jwks = {"keys": [{**key, **said, "kid": kid} for kid, said in says.items()]}
    client = Registration("App", (), jwks=jwks)
    for alg in ("PS256", "RS256"):
        assert names(keys.fitting(client, alg, None)) == ["signs", "anything", alg]
    for alg in ("RSA-OAEP", "RSA-OAEP-256"):
        assert names(keys.for_encryption(client, alg)) == ["encrypts", "anything", alg]


def test_addresses_that_nobody_asks_any_more_are_forgotten(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "_REMEMBERED", 2)
    keys._fetched.clear()
    with override(app, client_networks=(LOOPBACK,)), serving({"/1": (200, NONE)}) as url:
        for number in range(4):
            keys.load(Registration("App", (), jwks_uri=f"{url}/{number}"), None)
        assert [*keys._fetched] == [f"{url}/2", f"{url}/3"]
        assert not {f"{url}/0", f"{url}/1"} & keys._asking.keys()
    keys._fetched.clear()
