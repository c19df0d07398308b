"""Verifying the password hashes of old systems. New hashes are never made here."""

import hashlib
import re
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
_CAPS = (
    (re.compile(r"^\$2[abxy]\$(\d+)\$"), 14),
    (re.compile(r"^\$[56]\$rounds=(\d+)\$"), 1_000_000),
    (re.compile(r"^\$pbkdf2[-\w]*\$(\d+)\$"), 2_000_000),
    (re.compile(r"^pbkdf2_\w+\$(\d+)\$"), 2_000_000),
    (re.compile(r"^\$argon2\w+\$v=\d+\$m=(\d+),"), 262_144),
    (re.compile(r"^\$argon2\w+\$v=\d+\$m=\d+,t=(\d+)"), 20),
)
"""Highest cost that is computed: an imported table must not be able to stop this service."""

_LONGEST_PASSWORD = 1024
_BCRYPT_READS = 72


def verify(stored: str, password: str, *, salt: str = "", scheme: str = "auto") -> bool:
    """Compare a password, as typed, with a foreign hash.

    `scheme` is "auto" (recognised by its prefix) or one of `SALTED`, whose salt has a column of its own.
    Raises UnsupportedHashError.
    """
    if len(password) > _LONGEST_PASSWORD:
        return False
    typed = password.encode("utf-8", "surrogatepass")
    if scheme in SALTED:
        return _salted(SALTED[scheme], stored, salt, typed)
    if scheme != "auto" and scheme not in _KINDS:
        raise UnsupportedHashError(f"unknown scheme {scheme}")
    return _recognised(stored, typed)


def _recognised(stored: str, typed: bytes) -> bool:
    _check_cost(stored)
    kind = _context().identify(stored)
    if kind is None:
        raise UnsupportedHashError("unrecognised hash")
    if kind == "bcrypt":
        typed = typed[:_BCRYPT_READS]
    try:
        return bool(_context().verify(typed, stored))
    except (PasswordSizeError, PasswordValueError):
        return False
    except (ValueError, TypeError) as error:
        raise UnsupportedHashError(f"malformed {kind} hash") from error


def _check_cost(stored: str) -> None:
    for pattern, cap in _CAPS:
        found = pattern.match(stored)
        if found and int(found[1]) > cap:
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


@lru_cache
def _context() -> CryptContext:
    return CryptContext(schemes=list(_KINDS))
