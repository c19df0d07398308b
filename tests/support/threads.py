"""Servers on loopback ports, each in a thread of this process."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Self

from flask import Flask
from werkzeug.serving import make_server

from tests.support.ports import free_port
from tests.support.settings import override

_LOOK = 0.02
"""Seconds until it sees that it should stop; by default half a second of every test goes by with that."""


class _TlsServer(ThreadingHTTPServer):
    def __init__(self, certificate: Path, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        # The hand-shake waits for the handler's own thread: a client that gives up must not stop the others.
        self.socket = context.wrap_socket(
            self.socket, server_side=True, do_handshake_on_connect=False
        )

    def handle_error(self, *_arguments: object) -> None:
        """Whoever does not trust our certificate hangs up."""


class Listener:
    """Answers by a handler of `http.server`, without its log, at `url` until it is stopped; behind TLS with a
    certificate and its key."""

    def __init__(
        self, handler: type[BaseHTTPRequestHandler], certificate: Path | None = None
    ) -> None:
        quiet = type("Quiet", (handler,), {"log_message": lambda *_arguments: None})
        self._server = (
            _TlsServer(certificate, quiet)
            if certificate
            else ThreadingHTTPServer(("127.0.0.1", 0), quiet)
        )
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_LOOK,), daemon=True
        )
        self._thread.start()
        scheme = "https" if certificate else "http"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Give the port back."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def listening(application: Any, port: int) -> Iterator[None]:
    """There for a while."""
    server = make_server("127.0.0.1", port, application, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(_LOOK,), daemon=True)
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
