"""Encrypting for somebody else's public key (RFC 7516)."""

import json
from typing import Any

from jwcrypto import jwe, jwk
from jwcrypto.common import JWException

ALGORITHMS = ("RSA-OAEP", "RSA-OAEP-256", "ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A256KW")
"""For the key; RSA1_5 is left out, because it can be asked until it tells (RFC 8725 3.2)."""
ENCODINGS = ("A128CBC-HS256", "A256CBC-HS512", "A128GCM", "A256GCM")
"""For the content."""


class UnusableKeyError(Exception):
    """The key cannot encrypt."""


def encrypt(text: str, key: dict[str, Any], alg: str, enc: str, **header: str) -> str:
    """A compact JWE. Raises UnusableKeyError."""
    protected = {"alg": alg, "enc": enc, **header}
    try:
        sealed = jwe.JWE(text.encode(), json.dumps(protected), algs=[alg, enc])
        sealed.add_recipient(jwk.JWK(**key))
        compact: str = sealed.serialize(compact=True)
    except (JWException, ValueError, TypeError) as error:
        raise UnusableKeyError(type(error).__name__) from None
    return compact
