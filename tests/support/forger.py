"""Somebody between a relying party and the provider who alters ID tokens: what does the party notice?"""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import urlsplit

import requests
from flask import Flask
from joserfc import jwt

from idp.keys import signing
from tests.support.threads import Listener

Forgery = Callable[[str], str]
_METADATA = "/.well-known/openid-configuration"
_PASSED_ON = ("Authorization", "Content-Type", "Origin", "Accept")
_PASSED_BACK = ("Content-Type", "Location", "Access-Control-Allow-Origin")


class Forger(Listener):
    """Passes everything on to the provider; its token endpoint is the one that parties find in the metadata."""

    def __init__(self, issuer: str) -> None:
        self.forge: Forgery | None = None
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer._pass_on(self)

            do_POST = do_GET  # noqa: N815 - names of http.server

        self.issuer = issuer
        super().__init__(Handler)

    def _pass_on(self, asked: BaseHTTPRequestHandler) -> None:
        answer = requests.request(
            asked.command,
            self.issuer + asked.path,
            headers={name: asked.headers[name] for name in _PASSED_ON if name in asked.headers},
            data=asked.rfile.read(int(asked.headers.get("Content-Length", 0))),
            allow_redirects=False,
            timeout=30,
        )
        body = self._altered(urlsplit(asked.path).path, answer)
        asked.send_response(answer.status_code)
        for name in _PASSED_BACK:
            if name in answer.headers:
                asked.send_header(name, answer.headers[name])
        asked.send_header("Content-Length", str(len(body)))
        asked.end_headers()
        asked.wfile.write(body)

    def _altered(self, path: str, answer: requests.Response) -> bytes:
        if path == _METADATA:
            return json.dumps({**answer.json(), "token_endpoint": f"{self.url}/token"}).encode()
        if path == "/token" and answer.ok and self.forge:
            body = answer.json()
            return json.dumps({**body, "id_token": self.forge(body["id_token"])}).encode()
        return answer.content


@contextmanager
def forging(issuer: str) -> Iterator[Forger]:
    """A forger for a while."""
    forger = Forger(issuer)
    try:
        yield forger
    finally:
        forger.stop()


def forgeries(app: Flask) -> dict[str, Forgery]:
    """What each is, and the forgery."""
    return {
        "of another request": signed_anew(app, nonce="another"),
        "for another client": signed_anew(app, aud="another"),
        "of another provider": signed_anew(app, iss="https://another.example"),
        "of yesterday": signed_anew(app, iat=1_000_000_000, exp=1_000_000_600),
        "about another person": with_old_signature(sub="another"),
        "of nobody": unsigned,
    }


def signed_anew(app: Flask, **changes: Any) -> Forgery:
    """With other claims, and a signature that is right: what a party must look at beside it."""

    def forge(token: str) -> str:
        header, claims, _signature = _parts(token)
        with app.app_context():
            key = signing.active(header["alg"])
            return str(jwt.encode(header, {**claims, **changes}, key, algorithms=[header["alg"]]))

    return forge


def with_old_signature(**changes: Any) -> Forgery:
    """With other claims under the same signature."""

    def forge(token: str) -> str:
        _header, claims, signature = _parts(token)
        return ".".join((token.partition(".")[0], _encoded({**claims, **changes}), signature))

    return forge


def unsigned(token: str) -> str:
    """With `alg` none and no signature."""
    header, claims, _signature = _parts(token)
    return f"{_encoded({**header, 'alg': 'none'})}.{_encoded(claims)}."


def _parts(token: str) -> tuple[dict[str, Any], dict[str, Any], str]:
    header, claims, signature = token.split(".")
    return _decoded(header), _decoded(claims), signature


def _decoded(part: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=="))
    return value


def _encoded(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
