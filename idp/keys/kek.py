"""The key-encryption key: one file that every node of a deployment shares (`keys/kek.json`)."""

import json
import os
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import Flask
from jwcrypto import jwk
from jwcrypto.common import JWException, base64url_decode

from idp.errors import ConfigurationError
from idp.extensions import settings


def init_app(app: Flask) -> None:
    """Derive what Flask signs its form cookie with. Raises ConfigurationError without a usable key."""
    path = app.extensions["seuil.settings"].kek_file
    app.secret_key = derive_from(load(path), "flask-session")


def current() -> jwk.JWK:
    """The running deployment's key."""
    return load(settings.kek_file)


def create(path: Path) -> None:
    """Write a fresh 256-bit key that only its owner can read. Never overwrites one."""
    key = jwk.JWK.generate(kty="oct", size=256, use="enc")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        if path.exists():
            message = f"{path} exists already; a key is never overwritten"
            raise ConfigurationError(message) from None
        raise ConfigurationError(f"cannot write {path}: {error.strerror}") from None
    with os.fdopen(handle, "w") as file:
        file.write(key.export() + "\n")


def load(path: Path) -> jwk.JWK:
    """Read the key. Raises ConfigurationError that says what to do when there is none or it is no key."""
    try:
        return _load(path, path.stat().st_mtime_ns)
    except FileNotFoundError:
        message = f"no key-encryption key at {path}; make one with `idp keys create`"
        raise ConfigurationError(message) from None
    except (OSError, ValueError, TypeError, JWException):
        raise ConfigurationError(f"{path} is not a readable 256-bit JWK") from None


@lru_cache(maxsize=8)
def _load(path: Path, _changed: int) -> jwk.JWK:
    key = jwk.JWK(**json.loads(path.read_text()))
    if len(_octets(key)) != 32:
        raise ValueError("not 256 bits")
    return key


def derive_from(key: jwk.JWK, purpose: str) -> bytes:
    """A 32-byte secret for one purpose (HKDF-SHA256, RFC 5869)."""
    hkdf = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=f"seuil:{purpose}".encode())
    return hkdf.derive(_octets(key))


def _octets(key: jwk.JWK) -> bytes:
    return bytes(base64url_decode(json.loads(key.export_symmetric())["k"]))
