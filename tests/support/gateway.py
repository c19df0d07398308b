"""An HTTP gateway that answers what it is told to, and keeps what it is asked."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from tests.support.threads import Listener


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Gateway:
    """What it answers next, and what it was asked."""

    url: str = ""
    status: int = 200
    body: bytes = b""
    location: str = ""
    asked: list[Asked] = field(default_factory=list)


@contextlib.contextmanager
def answering(certificate: Path | None = None) -> Iterator[Gateway]:
    """The gateway at work, on loopback; behind TLS with a certificate and its key."""
    gateway = Gateway()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            size = int(self.headers.get("Content-Length", 0))
            asked = Asked(self.command, self.path, dict(self.headers), self.rfile.read(size))
            gateway.asked.append(asked)
            self.send_response(gateway.status)
            if gateway.location:
                self.send_header("Location", gateway.location)
            self.send_header("Content-Length", str(len(gateway.body)))
            self.end_headers()
            self.wfile.write(gateway.body)

        do_POST = do_GET = do_PUT = _answer  # noqa: N815 - names of http.server

    with Listener(Handler, certificate) as here:
        gateway.url = here.url
        yield gateway
