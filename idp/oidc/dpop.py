"""Demonstrating proof of possession (RFC 9449): a request that its sender signed with a key of its own.

What is given for such a request is bound to that key. A proof is good for one request, while its nonce is
fresh. Nonces are not kept: all nodes derive the same one for each minute.
"""

import hashlib
import hmac
import math
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from authlib.oauth2 import OAuth2Error
from flask import Blueprint, request
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry
from werkzeug.wrappers import Response

from idp import clock
from idp.clients import keys
from idp.extensions import settings
from idp.keys import kek
from idp.security import strict_json, throttle, tokens

_WINDOW = 300
"""Seconds that the clock of a client may differ: how fresh a proof is, is told by its nonce."""
_PERIOD = 60
"""Seconds after which another nonce is given; the one before it is good for as long again."""
_AGES = (0, 1, -1)
"""In periods; the last is that of a node whose clock is ahead."""
_MEMORY = timedelta(seconds=5 * _PERIOD)
"""Longer than any nonce is good."""


class InvalidProofError(OAuth2Error):  # type: ignore[misc]
    """RFC 9449 5."""

    error = "invalid_dpop_proof"
    description = "A DPoP proof must come with the request."


class UseNonceError(OAuth2Error):  # type: ignore[misc]
    """RFC 9449 8."""

    error = "use_dpop_nonce"
    description = "The DPoP proof must have the nonce of the DPoP-Nonce header."


@dataclass(frozen=True)
class Proof:
    """A proof that was found good. `jkt` is the thumbprint of its key (RFC 7638)."""

    jkt: str
    claims: dict[str, Any]

    def is_for(self, access_token: str) -> bool:
        """Whether it came with this token (section 4.2, `ath`)."""
        digest = hashlib.sha256(access_token.encode("utf-8", "surrogatepass")).digest()
        return _same(self.claims.get("ath"), tokens.base64url(digest))

    def use(self) -> None:
        """It is good once, at all nodes (section 11.1). Raises InvalidProofError.

        Runs in the caller's transaction.
        """
        name = tokens.digest(self.claims["jti"])
        if not throttle.once(f"dpop:{self.jkt}:{name}", _MEMORY):
            raise InvalidProofError(
                "The DPoP proof was used before: its jti must be new each time."
            )


def read() -> Proof | None:
    """The proof that came with the request, or None. Looks at everything but whether it was used (section 4.3).

    Raises InvalidProofError, UseNonceError.
    """
    text = request.headers.get("DPoP")
    if text is None:
        return None
    key, claims = _verified(text)
    _check(claims)
    if not any(_same(claims.get("nonce"), _nonce(age)) for age in _AGES):
        raise UseNonceError
    return Proof(key.thumbprint(), claims)


def telling_nonces(blueprint: Blueprint) -> Blueprint:
    """Let every answer to a proof have the nonce for the next one (section 8.2)."""
    blueprint.after_request(_tell_nonce)
    return blueprint


def challenge() -> str:
    """What a resource says of itself that takes such tokens (section 7.1)."""
    return f'algs="{" ".join(keys.ALGORITHMS)}"'


class _Registry(JWSRegistry):
    """With room for a key in the header; what else is there is left aside (RFC 7515 4)."""

    max_header_length = 4096


_registry = _Registry(algorithms=keys.ALGORITHMS, strict_check_header=False)


def _verified(text: str) -> tuple[keys.PublicKey, dict[str, Any]]:
    try:
        written = jws.extract_compact(text.encode(), registry=_registry)
        header, claims = written.headers(), strict_json.loads(written.payload)
        strict_json.check(header)
        key = keys.shown(header.get("jwk"), header.get("alg"))
        signed = key and jws.validate_compact(written, key, registry=_registry)
    except (JoseError, ValueError, TypeError, RecursionError):
        raise InvalidProofError("The DPoP proof cannot be read.") from None
    if header.get("typ") != "dpop+jwt" or not isinstance(claims, dict):
        raise InvalidProofError("The typ of the DPoP proof must be dpop+jwt.")
    if key is None or not signed:
        raise InvalidProofError("The DPoP proof is not signed with the public key in its header.")
    return key, claims


def _check(claims: dict[str, Any]) -> None:
    here, there = _place(settings.issuer + request.path), claims.get("htu")
    if claims.get("htm") != request.method or not isinstance(there, str) or _place(there) != here:
        raise InvalidProofError("htm and htu of the DPoP proof must be those of the request.")
    now, iat, jti = clock.now().timestamp(), claims.get("iat"), claims.get("jti")
    if isinstance(iat, bool) or not isinstance(iat, int | float):
        iat = math.inf
    if not now - _WINDOW <= iat <= now + _WINDOW:
        raise InvalidProofError("iat of the DPoP proof must be now: is the clock right?")
    if not isinstance(jti, str) or not jti:
        raise InvalidProofError("The DPoP proof must have a jti.")


def _place(uri: str) -> tuple[str, str, int | None, str] | None:
    """What counts of an address (RFC 9449 4.3, RFC 3986 6.2): neither query nor fragment."""
    try:
        parts = urlsplit(uri)
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    except ValueError:
        return None
    if parts.username is not None:
        return None
    return parts.scheme, parts.hostname or "", port, parts.path


def _nonce(age: int = 0) -> str:
    """That of the present period, or of one before."""
    period = int(clock.now().timestamp()) // _PERIOD - age
    key = kek.ring().secret("dpop-nonce")
    return tokens.base64url(hmac.digest(key, str(period).encode(), "sha256")[:16])


def _tell_nonce(response: Response) -> Response:
    if "DPoP" in request.headers:
        response.headers["DPoP-Nonce"] = _nonce()
    return response


def _same(claim: Any, expected: str) -> bool:
    return isinstance(claim, str) and tokens.same(claim, expected)
