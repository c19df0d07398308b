"""A relying party's address that is told of logouts."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs

from tests.support.threads import Listener


class Receiver(Listener):
    """Keeps every form that it is sent, and answers with `status`."""

    def __init__(self) -> None:
        self.status = 200
        self.forms: list[dict[str, str]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                assert self.headers["Content-Type"] == "application/x-www-form-urlencoded"
                outer.forms.append({name: value[0] for name, value in parse_qs(body).items()})
                self.send_response(outer.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

        super().__init__(Handler)
        self.url += "/logout"


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver for a while."""
    with Receiver() as receiver:
        yield receiver
