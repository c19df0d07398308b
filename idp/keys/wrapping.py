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
    header = json.dumps({"alg": "dir", "enc": "A256GCM", "ctx": context})
    token = jwe.JWE(plain, protected=header)
    token.add_recipient(kek.current())
    return str(token.serialize(compact=True))


def unwrap(blob: str, context: str) -> bytes:
    """Decrypt what `wrap` made for the same context. Raises WrapError."""
    token = jwe.JWE(algs=["dir", "A256GCM"])
    try:
        token.deserialize(blob, kek.current())
    except (JWException, ValueError) as error:
        raise WrapError("not a secret of this deployment") from error
    if token.jose_header.get("ctx") != context:
        raise WrapError("a secret of another row")
    return bytes(token.payload)
