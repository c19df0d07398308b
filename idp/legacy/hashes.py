"""Verifying the password hashes of old systems. New hashes are never made here."""

import hashlib
from collections.abc import Callable
from functools import lru_cache

from passlib.context import CryptContext
from passlib.exc import PasswordSizeError, PasswordValueError

from idp.security import tokens


class UnsupportedHashError(Exception):
    """A hash of an unknown kind, malformed, or too expensive to compute; the text names no secret."""


_KINDS = (
    "bcrypt",
    "argon2",
    "sha512_crypt",
    "sha256_crypt",
    "md5_crypt",
    "apr_md5_crypt",
    "phpass",
    "pbkdf2_sha512",
    "pbkdf2_sha256",
    "pbkdf2_sha1",
    "django_pbkdf2_sha256",
    "django_pbkdf2_sha1",
    "django_salted_sha1",
    "ldap_salted_sha512",
    "ldap_salted_sha256",
    "ldap_salted_sha1",
    "ldap_salted_md5",
    "ldap_sha1",
    "ldap_md5",
)
_MOST_ROUNDS = {
    "bcrypt": 14,
    "phpass": 18,
    "argon2": 20,
    "sha512_crypt": 1_000_000,
    "sha256_crypt": 1_000_000,
    **dict.fromkeys(("pbkdf2_sha512", "pbkdf2_sha256", "pbkdf2_sha1"), 2_000_000),
    **dict.fromkeys(("django_pbkdf2_sha256", "django_pbkdf2_sha1"), 2_000_000),
}
_MOST_ARGON2_WORK = 1_048_576
_MOST_ARGON2_LANES = 16
"""Highest cost that is computed, in the unit of each scheme; argon2's work is KiB times passes. An
imported table must not be able to stop this service."""

_LONGEST_PASSWORD = 1024
_BCRYPT_READS = 72


def verify(stored: str, password: str, *, salt: str = "", scheme: str = "auto") -> bool:
    """Compare a password, as typed, with a foreign hash.

    `scheme` is one of `SCHEMES`: "auto" (recognised by its form), one kind that it must be of, or
    one of `SALTED`, whose salt has a column of its own. Raises UnsupportedHashError.
    """
    if len(password) > _LONGEST_PASSWORD:
        return False
    typed = password.encode("utf-8", "surrogatepass")
    if scheme in SALTED:
        return _salted(SALTED[scheme], stored, salt, typed)
    if scheme not in SCHEMES:
        raise UnsupportedHashError(f"unknown scheme {scheme}")
    return _recognised(stored, typed, scheme)


def _recognised(stored: str, typed: bytes, scheme: str) -> bool:
    kind = _context().identify(stored)
    if kind is None or scheme not in {"auto", kind}:
        raise UnsupportedHashError("unrecognised hash" if kind is None else f"not a {scheme} hash")
    if kind == "bcrypt":
        typed = typed[:_BCRYPT_READS]
    try:
        _check_cost(kind, stored)
        return bool(_context().verify(typed, stored))
    except (PasswordSizeError, PasswordValueError):
        return False
    except (ValueError, TypeError) as error:
        raise UnsupportedHashError(f"malformed {kind} hash") from error


def _check_cost(kind: str, stored: str) -> None:
    """Read the cost as the code that computes it reads it. Raises ValueError for a malformed hash."""
    parsed = _context().handler(kind).from_string(stored) if kind in _MOST_ROUNDS else None
    if parsed is None:
        return
    work = parsed.rounds * getattr(parsed, "memory_cost", 0)
    lanes = getattr(parsed, "parallelism", 1)
    if parsed.rounds > _MOST_ROUNDS[kind] or work > _MOST_ARGON2_WORK or lanes > _MOST_ARGON2_LANES:
        raise UnsupportedHashError("hash too expensive to compute")


def _salted(digest: Callable[[bytes], str], stored: str, salt: str, typed: bytes) -> bool:
    return tokens.same(digest(salt.encode() + typed), stored.strip().lower())


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def _sha1(data: bytes) -> str:
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


SALTED: dict[str, Callable[[bytes], str]] = {
    "md5-salted": _md5,
    "sha1-salted": _sha1,
    "sha256-salted": _sha256,
}
"""Home-made schemes: the hexadecimal digest of salt and password, one after the other."""

SCHEMES = {"auto", *_KINDS, *SALTED}
"""What `verify` can be asked for."""


@lru_cache
def _context() -> CryptContext:
    return CryptContext(schemes=list(_KINDS))
