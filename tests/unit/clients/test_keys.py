"""Keys at an address of the client's (RFC 7517): see also `tests/oidc/test_private_key_jwt.py`."""

import socket
from ipaddress import ip_network
from threading import Barrier

from flask import Flask
from sqlalchemy import select

from idp.clients import keys
from idp.clients.registration import Registration
from idp.extensions import db
from tests.support.faults import eventually, faulty
from tests.support.settings import override
from tests.support.together import together

ANSWER = b'HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{"keys":[]}'
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
