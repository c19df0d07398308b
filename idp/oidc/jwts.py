"""JWTs that we issue: signed by us, and encrypted with a key of the client where it is registered so."""

import json
from typing import Any

from authlib.oauth2.rfc6749 import InvalidRequestError
from joserfc import jwt

from idp.clients import keys
from idp.clients.registration import Registration
from idp.keys import encryption, signing


def sign(claims: dict[str, Any], alg: str, typ: str = "JWT") -> str:
    """A compact JWS, `kid` of the key that signs now."""
    key = signing.active(alg)
    header = {"alg": alg, "kid": key.kid or "", "typ": typ}
    return str(jwt.encode(header, claims, key, algorithms=[alg]))


def encrypt_as_id_token(signed: str, client: Registration) -> str:
    """What ID tokens are like for this client, and logout tokens with them. Raises as `encrypt`."""
    if alg := client.id_token_encrypted_response_alg:
        return encrypt(signed, client, alg, client.id_token_encrypted_response_enc)
    return signed


def encrypt(content: str | dict[str, Any], client: Registration, alg: str, enc: str) -> str:
    """A compact JWE of a JWS or of plain claims, with a key as last loaded.

    Raises InvalidRequestError when the client has none that fits.
    """
    for key in keys.for_encryption(client, alg):
        public = key.as_dict(private=False)
        kind = {"cty": "JWT"} if isinstance(content, str) else {}
        named = {"kid": key.kid} if key.kid else {}
        text = content if isinstance(content, str) else json.dumps(content)
        try:
            return encryption.encrypt(text, public, alg, enc or DEFAULT_ENC, **kind, **named)
        except encryption.UnusableKeyError:
            continue
    raise _no_key(alg)


def check_key(client: Registration) -> None:
    """Before anything is used up: raises InvalidRequestError where no ID token could be encrypted."""
    alg = client.id_token_encrypted_response_alg
    if alg and not keys.for_encryption(client, alg):
        raise _no_key(alg)


def _no_key(alg: str) -> InvalidRequestError:
    return InvalidRequestError(f"The client has no public key that fits {alg}.")


DEFAULT_ENC = "A128CBC-HS256"
"""When a registration names none (OIDC Dynamic Client Registration 2)."""
