"""A relying party's server: addresses that answer what a test wants, with TLS where it has a certificate."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from tests.support.threads import Listener

Answers = dict[str, tuple[int, Any]]
"""Path to status and JSON body; 404 for any other."""


class _Handler(BaseHTTPRequestHandler):
    answers: Answers

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status, body = self.answers.get(self.path, (404, None))
        written = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(written)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(written)

    do_HEAD = do_POST = do_GET  # noqa: N815 - as the library calls them


@contextmanager
def serving(answers: Answers, certificate: Path | None = None) -> Iterator[str]:
    """Its base URL. What `answers` says may change meanwhile."""
    handler = type("Handler", (_Handler,), {"answers": answers})
    with Listener(handler, certificate) as here:
        yield here.url
