"""Keys of relying parties, what they sign with them, and an address that publishes them."""

import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any, cast

from joserfc import jws
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey

from idp import clock
from idp.keys import signing
from tests.support.journey import ISSUER
from tests.support.threads import Listener

Key = RSAKey | ECKey | OKPKey


def make_key(alg: str = "ES256", kid: str | None = "one") -> Key:
    """A private key for this algorithm."""
    named = {"kid": kid} if kid else {}
    if alg in {"EdDSA", "Ed25519"}:
        return OKPKey.generate_key("Ed25519", named, private=True)
    if alg == "ES256":
        return ECKey.generate_key("P-256", named, private=True)
    return RSAKey.generate_key(2048, named, private=True)


def public_set(*keys: Key) -> dict[str, Any]:
    """As a client registers them."""
    return {"keys": [key.as_dict(private=False) for key in keys]}


def published() -> KeySet:
    """The keys that the provider publishes."""
    return KeySet.import_key_set(cast("Any", signing.public_jwks()))


def sign(key: Key, claims: dict[str, Any], alg: str = "ES256", **header: Any) -> str:
    """A compact JWS of JSON claims; a header of None is left out."""
    said = {"alg": alg, "kid": key.kid} | header
    kept = {name: value for name, value in said.items() if value is not None}
    return str(jws.serialize_compact(kept, json.dumps(claims), key, algorithms=[alg]))


def assertion(client_id: str, **changes: Any) -> dict[str, Any]:
    """Claims of a client assertion (RFC 7523 3), some changed or (None) left out."""
    now = int(clock.now().timestamp())
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": ISSUER,
        "jti": secrets.token_hex(8),
        "iat": now,
        "exp": now + 60,
    } | changes
    return {name: value for name, value in claims.items() if value is not None}


class Publisher(Listener):
    """An address that publishes JSON, as a key set or a list of addresses, and counts how often it is asked."""

    def __init__(self) -> None:
        self.content: Any = {"keys": []}
        self.status, self.asked = 200, 0
        self.location, self.delay = "", 0.0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked += 1
                time.sleep(outer.delay)
                body = json.dumps(outer.content).encode()
                self.send_response(outer.status)
                if outer.location:
                    self.send_header("Location", outer.location)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        super().__init__(Handler)
        self.url += "/jwks"


@contextmanager
def publishing(*keys: Key) -> Iterator[Publisher]:
    """An address with these keys."""
    with Publisher() as server:
        server.content = public_set(*keys)
        yield server
