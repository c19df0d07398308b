"""Web applications on loopback ports, each in a thread of this process."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_network
from typing import Any

from flask import Flask
from werkzeug.serving import make_server

from tests.support.ports import free_port
from tests.support.settings import override

_LOOK = 0.02
"""Seconds until it sees that it should stop."""


@contextmanager
def listening(application: Any, port: int) -> Iterator[None]:
    """There for a while."""
    server = make_server("127.0.0.1", port, application, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(_LOOK,))
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def providing(app: Flask) -> Iterator[str]:
    """The issuer: our application over real HTTP, which may ask parties on this machine for their keys.

    It starts at once and knows of every registration at once, which real processes do within two seconds.
    """
    port = free_port()
    url = f"http://localhost:{port}"
    networks = (ip_network("127.0.0.0/8"),)
    with override(app, issuer=url, client_networks=networks), listening(app, port):
        yield url
