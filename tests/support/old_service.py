"""An old system behind HTTP, as its owner would write it after docs/legacy-http.yaml."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from tests.support.threads import Listener

SECRET, PASSWORD = "the secret of both", "Edelweiss-1291"
CONTRACT = yaml.safe_load((Path(__file__).parents[2] / "docs" / "legacy-http.yaml").read_text())
PEOPLE = {
    "jeanne": {
        "key": "7",
        "identifier": "Jeanne",
        "email": "j@old.example",
        "given_name": "Jeanne",
        "birthdate": "1950-03-14",
        "attributes": {"customer": "12"},
    },
    "locked": {"key": "8"},
    "stale": {"key": "9"},
}
RIGHT = {"7": "match", "8": "locked", "9": "must_change"}


def schema(operation: str, part: str) -> Draft202012Validator:
    """Of a request or an answer."""
    described = CONTRACT["paths"][operation]["post"]
    content = described["requestBody"] if part == "request" else described["responses"]["200"]
    found = content["content"]["application/json"]["schema"]
    return Draft202012Validator({**found, "components": CONTRACT["components"]})


class Portal:
    """The service as its owner would write it; `answers` are given instead, in turn."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str], bytes]] = []
        self.answers: list[bytes] = []
        self.status, self.headers = 200, dict[str, str]()

    def answer(self, path: str, words: dict[str, Any]) -> bytes:
        """The body for a request."""
        if self.answers:
            return self.answers.pop(0)
        if path == "/find":
            person = PEOPLE.get(words["identifier"])
            said = {"answer": "found", "person": person} if person else {"answer": "unknown"}
        elif path == "/migrated":
            said = {"answer": "noted"}
        else:
            said = {"answer": RIGHT[words["key"]] if words["password"] == PASSWORD else "mismatch"}
        assert schema(path, "answer").is_valid(said)
        return json.dumps(said).encode()


@contextmanager
def serving(portal: Portal) -> Iterator[str]:
    """Its base URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            path = self.path.removeprefix("/seuil")
            portal.asked.append((path, dict(self.headers), body))
            said = portal.answer(path, json.loads(body))
            self.send_response(portal.status)
            for name, value in portal.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

    with Listener(Handler) as here:
        yield f"{here.url}/seuil"
