"""Encrypting small secrets with the key-encryption key: JWE `dir`, A256GCM (RFC 7516).

What was wrapped for one context (one row) cannot be read as another's: the context is part of the
authenticated header.
"""

import json

from jwcrypto import jwe
from jwcrypto.common import JWException

from idp.keys import kek


class WrapError(Exception):
    """The blob is not ours, was altered, or belongs to another row."""


def wrap(plain: bytes, context: str) -> str:
    """Encrypt for one context; a compact JWE, about 200 characters more than the text."""
    ring = kek.ring()
    header = json.dumps({"alg": "dir", "enc": "A256GCM", "ctx": context})
    token = jwe.JWE(plain, protected=header)
    token.add_recipient(ring.keys[ring.current])
    return str(token.serialize(compact=True))


def unwrap(blob: str, context: str) -> bytes:
    """Decrypt what `wrap` made for the same context. Raises WrapError."""
    _name, token = _opened(blob)
    if token.jose_header.get("ctx") != context:
        raise WrapError("a secret of another row")
    return bytes(token.payload)


def rewrap(blob: str) -> str:
    """The same secret, for the same context, under the key that wraps now. Raises WrapError."""
    _name, token = _opened(blob)
    return wrap(bytes(token.payload), token.jose_header["ctx"])


def opened_with(blob: str) -> str:
    """Name of the key that opens it. Raises WrapError."""
    name, _token = _opened(blob)
    return name


def _opened(blob: str) -> tuple[str, jwe.JWE]:
    """Two keys at most: trying both is simpler than believing a header."""
    for name, key in kek.ring().keys.items():
        token = jwe.JWE(algs=["dir", "A256GCM"])
        try:
            token.deserialize(blob, key)
        except (JWException, ValueError):
            continue
        return name, token
    raise WrapError("not a secret of this deployment")
