"""Schemes that libpass knows."""

from functools import lru_cache
from typing import Any

from passlib.context import CryptContext
from passlib.exc import PasswordSizeError, PasswordValueError

from idp.legacy.hashes import costs
from idp.legacy.hashes.costs import UnsupportedHashError

BY_FORM = (
    *("bcrypt", "bcrypt_sha256", "argon2", "scrypt", "sha512_crypt", "sha256_crypt", "sha1_crypt"),
    *("md5_crypt", "apr_md5_crypt", "sun_md5_crypt", "bsdi_crypt", "phpass"),
    *("pbkdf2_sha512", "pbkdf2_sha256", "pbkdf2_sha1", "cta_pbkdf2_sha1", "dlitz_pbkdf2_sha1"),
    *("grub_pbkdf2_sha512", "atlassian_pbkdf2_sha1", "fshp"),
    *("django_pbkdf2_sha256", "django_pbkdf2_sha1", "django_salted_sha1", "django_salted_md5"),
    *("ldap_salted_sha512", "ldap_salted_sha256", "ldap_salted_sha1", "ldap_salted_md5"),
    *("ldap_sha1", "ldap_md5", "mssql2000", "mssql2005", "mysql41", "oracle11", "bsd_nthash"),
)
"""Recognised by their form."""
BY_NAME = (
    *("hex_md4", "hex_md5", "hex_sha1", "hex_sha256", "hex_sha512", "nthash", "lmhash", "mysql323"),
    *("des_crypt", "bigcrypt", "crypt16"),
)
"""Of a form that others have too: only where the source says so."""

_BCRYPT_READS = 72
_ALWAYS_THE_SAME = {"atlassian_pbkdf2_sha1"}
_PBKDF2 = {name: costs.MOST_PBKDF2 for name in {*BY_FORM} - _ALWAYS_THE_SAME if "pbkdf2" in name}
_MOST = {
    **_PBKDF2,
    "bcrypt": costs.MOST_BCRYPT,
    "bcrypt_sha256": costs.MOST_BCRYPT,
    "argon2": costs.MOST_ARGON2_PASSES,
    "phpass": costs.MOST_PHPASS,
    "sha512_crypt": costs.MOST_SHA_CRYPT,
    "sha256_crypt": costs.MOST_SHA_CRYPT,
    "sha1_crypt": costs.MOST_PBKDF2,
    "sun_md5_crypt": 100_000,
    "bsdi_crypt": 100_000,
    "fshp": costs.MOST_DIGESTS,
}
"""Rounds; for bcrypt, phpass and scrypt (checked apart) their logarithm."""


def identify(stored: str) -> str | None:
    """The scheme that a text has the form of; None: none of ours."""
    kind = _context().identify(stored)
    return None if kind is None else str(kind)


def verify(kind: str, stored: str, typed: bytes) -> bool:
    """Compare; `kind` is one of BY_FORM or BY_NAME. Raises UnsupportedHashError."""
    if kind == "bcrypt":
        typed = typed[:_BCRYPT_READS]
    try:
        handler = _context().handler(kind)
        _check_cost(kind, handler, stored)
        return bool(handler.verify(typed, stored))
    except (PasswordSizeError, PasswordValueError):
        return False
    except (ValueError, TypeError, OverflowError) as error:
        raise UnsupportedHashError(f"malformed {kind} hash") from error


def _check_cost(kind: str, handler: Any, stored: str) -> None:
    """Read the cost as the code that computes it reads it. Raises ValueError for a malformed hash."""
    if kind == "scrypt":
        parsed = handler.from_string(stored)
        if parsed.rounds > 31:
            raise UnsupportedHashError("hash too expensive to compute")
        costs.check_scrypt(1 << parsed.rounds, parsed.block_size, parsed.parallelism)
    elif kind in _MOST:
        parsed = handler.from_string(stored)
        # Plain sun-md5-crypt has none beside those that it always has.
        costs.check(parsed.rounds + (kind == "sun_md5_crypt"), _MOST[kind])
        if kind == "argon2":
            costs.check(parsed.rounds * parsed.memory_cost, costs.MOST_ARGON2_WORK)
            costs.check(parsed.parallelism, costs.MOST_ARGON2_LANES)


@lru_cache
def _context() -> CryptContext:
    return CryptContext(schemes=[*BY_FORM, *BY_NAME])


def fits(kind: str, stored: str) -> bool:
    """Whether a text has the form of one scheme, whatever others look alike."""
    return bool(_context().handler(kind).identify(stored))
