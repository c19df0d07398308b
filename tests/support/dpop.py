"""A client's own key, the proofs that it signs with it (RFC 9449 4.2), and what they bind."""

import base64
import hashlib
import json
import secrets
from typing import Any

from flask import current_app
from joserfc.jws import JWSRegistry
from werkzeug.test import TestResponse

from idp import clock
from tests.support.journey import ISSUER, Person
from tests.support.signing import make_key

SCOPE = "openid email offline_access"


def error(answer: TestResponse, status: int = 400) -> str:
    """The name of the error that was answered."""
    assert answer.status_code == status, answer.get_data(as_text=True)
    name: str = answer.get_json()["error"]
    return name


def show(
    person: Person, headers: dict[str, str], method: str = "GET", **options: Any
) -> TestResponse:
    """A request to userinfo."""
    return person.app.test_client().open(
        "/userinfo", method=method, headers=headers, base_url=ISSUER, **options
    )


class Holder:
    """Whoever has a key, and the nonce that the provider gave last."""

    def __init__(self, alg: str = "ES256") -> None:
        self.alg, self.key = alg, make_key(alg, kid=None)
        self.nonce: str | None = None

    @property
    def jkt(self) -> str:
        """What tokens are bound to."""
        return self.key.thumbprint()

    def header(self, **changes: Any) -> dict[str, Any]:
        """Header of a proof, some members changed or (None) left out."""
        return {
            "typ": "dpop+jwt",
            "alg": self.alg,
            "jwk": self.key.as_dict(private=False),
        } | changes

    def claims(self, method: str = "POST", path: str = "/token", **changes: Any) -> dict[str, Any]:
        """Claims of a proof, some changed or (None) left out."""
        claims = {
            "htm": method,
            "htu": ISSUER + path,
            "iat": int(clock.now().timestamp()),
            "jti": secrets.token_hex(8),
            "nonce": self.nonce,
        } | changes
        return {name: value for name, value in claims.items() if value is not None}

    def prove(self, method: str = "POST", path: str = "/token", **changes: Any) -> dict[str, str]:
        """The header of a request with a proof."""
        return self.signed(self.claims(method, path, **changes))

    def signed(self, claims: dict[str, Any], **header: Any) -> dict[str, str]:
        """The header of a request, with any claims and any header of the JWT, rightly signed."""
        said = {name: value for name, value in self.header(**header).items() if value is not None}
        parts = [base64url(json.dumps(part).encode()) for part in (said, claims)]
        signature = JWSRegistry.algorithms[self.alg].sign(".".join(parts).encode(), self.key)
        return {"DPoP": ".".join([*parts, base64url(signature)])}

    def carry(self, token: str, method: str = "GET", **changes: Any) -> dict[str, str]:
        """Headers of a request to userinfo with a bound token."""
        claims = {"ath": hash_of(token)} | changes
        return {"Authorization": f"DPoP {token}", **self.prove(method, "/userinfo", **claims)}

    def fetch_nonce(self) -> "Holder":
        """Be refused once, and keep what the refusal tells."""
        answer = current_app.test_client().post("/token", headers=self.prove(), base_url=ISSUER)
        self.nonce = answer.headers["DPoP-Nonce"]
        return self


def hash_of(token: str) -> str:
    """`ath` of a token."""
    return base64url(hashlib.sha256(token.encode()).digest())


def base64url(octets: bytes) -> str:
    """Without padding (RFC 7515 2)."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()
