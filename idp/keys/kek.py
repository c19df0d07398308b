"""The key-encryption key: one file that every node of a deployment shares (`keys/kek.json`).

A JWK (RFC 7517). Once it was replaced it is a JWK Set: of the keys for encryption the first wraps and all open;
the others are secrets that were derived from a former key and outlive it. Whoever changes the file replaces it
whole, and every process reads it again at its next use.
"""

import json
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, get_args

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import Flask
from jwcrypto import jwk
from jwcrypto.common import JWException, base64url_decode, base64url_encode

from idp.errors import ConfigurationError
from idp.extensions import settings

Purpose = Literal["audit", "dpop-nonce", "flask-session", "reminders"]
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)
"""What secrets are derived for; they stay what they are when the key is replaced."""
_EVEN_IF_LEAKED: tuple[Purpose, ...] = ("reminders",)
"""With this one links that stop mail can be made, and nothing else; a new one would forget who wants none."""


@dataclass(frozen=True)
class Ring:
    """What the file holds: keys by their names, the one that wraps first, and `kept` secrets by purpose."""

    keys: Mapping[str, jwk.JWK]
    kept: Mapping[Purpose, bytes]

    @property
    def current(self) -> str:
        """Name of the key that wraps."""
        return next(iter(self.keys))

    def secret(self, purpose: Purpose) -> bytes:
        """32 bytes for one purpose: derived from the key (HKDF-SHA256, RFC 5869), or from a former one."""
        return self.kept.get(purpose) or _derived(self.keys[self.current], purpose)


def init_app(app: Flask) -> None:
    """Derive what Flask signs its form cookie with. Raises ConfigurationError without a usable key."""
    app.secret_key = load(app.extensions["seuil.settings"].kek_file).secret("flask-session")


def ring() -> Ring:
    """The running deployment's keys. Raises ConfigurationError."""
    return load(settings.kek_file)


def create(path: Path) -> None:
    """Write a fresh 256-bit key that only its owner can read. Never overwrites one."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        if path.exists():
            message = f"{path} exists already; a key is never overwritten"
            raise ConfigurationError(message) from None
        raise ConfigurationError(f"cannot write {path}: {error.strerror}") from None
    with os.fdopen(handle, "w") as file:
        file.write(_fresh().export() + "\n")


def add(path: Path) -> str:
    """Put a fresh key behind the present one: it opens and does not wrap yet; its name."""
    ring = load(path)
    if len(ring.keys) > 1:
        raise ConfigurationError(f"{path} has two keys already; see `idp keys rewrap`")
    key = _fresh()
    kept = {purpose: ring.secret(purpose) for purpose in PURPOSES}
    _replace(path, Ring({**ring.keys, _name(key): key}, kept))
    return _name(key)


def turn(path: Path) -> str:
    """Let the other key wrap; the name of that key. Both open, as before."""
    ring = of_two(path)
    _replace(path, Ring(dict(reversed([*ring.keys.items()])), ring.kept))
    return load(path).current


def drop(path: Path, *, leaked: bool) -> tuple[str, str]:
    """Forget every key but the one that wraps; after a leak also what can be derived from the former one. The
    names of the key that stays and of the one that goes.

    Raises ConfigurationError after a leak while it is the older one that wraps: it would stay.
    """
    ring = of_two(path)
    current, other = ring.keys
    if leaked and _made_at(ring.keys[other]) > _made_at(ring.keys[current]):
        raise ConfigurationError(
            f"key {current} wraps, which is the older one: run `idp keys rewrap turn` and `values` first"
        )
    kept = {purpose: ring.kept[purpose] for purpose in _EVEN_IF_LEAKED} if leaked else ring.kept
    _replace(path, Ring({current: ring.keys[current]}, kept))
    return current, other


def load(path: Path) -> Ring:
    """Read the file. Raises ConfigurationError that says what to do when there is none or it holds no key."""
    try:
        return _load(path, path.stat().st_mtime_ns)
    except FileNotFoundError:
        message = f"no key-encryption key at {path}; make one with `idp keys create`"
        raise ConfigurationError(message) from None
    except (OSError, ValueError, TypeError, KeyError, AttributeError, JWException):
        raise ConfigurationError(f"{path} is not a readable 256-bit JWK") from None


@lru_cache(maxsize=8)
def _load(path: Path, _changed: int) -> Ring:
    written = json.loads(path.read_text())
    members = [jwk.JWK(**member) for member in written.get("keys", [written])]
    keys = [key for key in members if key.get("use") != "sig"]
    if not keys or any(len(_octets(key)) != 32 for key in members):
        raise ValueError("not 256 bits")
    kept = {key["kid"]: _octets(key) for key in members if key.get("use") == "sig"}
    return Ring({_name(key): key for key in keys}, kept)


def of_two(path: Path) -> Ring:
    """The file while one key takes the place of another. Raises ConfigurationError where there is one only."""
    ring = load(path)
    if len(ring.keys) < 2:
        raise ConfigurationError(f"{path} has one key only; run `idp keys rewrap add` first")
    return ring


def _replace(path: Path, ring: Ring) -> None:
    """At once and whole, for the same owner: a running node must be able to read it at any moment."""
    kept = [
        {"kty": "oct", "use": "sig", "kid": purpose, "k": base64url_encode(secret)}
        for purpose, secret in ring.kept.items()
    ]
    keys: list[dict[str, Any]] = [key.export(as_dict=True) for key in ring.keys.values()]
    # Behind a link it is the file that is replaced.
    path = path.resolve()
    fresh, owner = path.with_name(f"{path.name}.new"), path.stat()
    try:
        fresh.unlink(missing_ok=True)
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            os.fchown(handle, owner.st_uid, owner.st_gid)
            file.write(json.dumps({"keys": [*keys, *kept]}, indent=1) + "\n")
            file.flush()
            os.fsync(handle)
        fresh.replace(path)
    except OSError as error:
        with suppress(OSError):
            fresh.unlink()
        raise ConfigurationError(f"cannot replace {path}: {error.strerror}") from None


def _fresh() -> jwk.JWK:
    return jwk.JWK.generate(kty="oct", size=256, use="enc", iat=time.time_ns())


def _made_at(key: jwk.JWK) -> int:
    """By the clock of the machine that made it; 0 for one that does not say."""
    return int(key.get("iat") or 0)


def _name(key: jwk.JWK) -> str:
    """Sixteen hexadecimal characters that tell nothing of the key."""
    return _derived(key, "name")[:8].hex()


def _derived(key: jwk.JWK, purpose: str) -> bytes:
    hkdf = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=f"seuil:{purpose}".encode())
    return hkdf.derive(_octets(key))


def _octets(key: jwk.JWK) -> bytes:
    return bytes(base64url_decode(json.loads(key.export_symmetric())["k"]))
