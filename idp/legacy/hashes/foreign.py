"""Schemes that no library of ours knows, each by the form that its makers publish."""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable
from typing import NamedTuple

import bcrypt

from idp.legacy.hashes import costs
from idp.legacy.hashes.yescrypt import crypt

Compute = Callable[[re.Match[str], bytes], bool]
_PHPASS = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_PHP_BLANKS = b" \t\n\r\0\x0b"


def wordpress(found: re.Match[str], typed: bytes) -> bool:
    """WordPress 6.8: bcrypt over the base64 of an HMAC-SHA384, of the password without blanks around it."""
    costs.check(int(found["cost"]), costs.MOST_BCRYPT)
    digest = hmac.digest(b"wp-sha384", typed.strip(_PHP_BLANKS), "sha384")
    return bcrypt.checkpw(base64.b64encode(digest), found["bcrypt"].encode())


def drupal(found: re.Match[str], typed: bytes) -> bool:
    """Drupal 7: SHA-512 again and again, cut to 55 characters; `U$` stands before what was an MD5."""
    log2 = _PHPASS.index(found["cost"])
    costs.check(log2, costs.MOST_PHPASS)
    if found["upgraded"]:
        typed = hashlib.md5(typed, usedforsecurity=False).hexdigest().encode()
    digest = hashlib.sha512(found["salt"].encode() + typed).digest()
    for _ in range(1 << log2):
        digest = hashlib.sha512(digest + typed).digest()
    return _same(_phpass_base64(digest)[:43], found["digest"])


def joomla(found: re.Match[str], typed: bytes) -> bool:
    """Joomla before 3.2: MD5 of password and salt."""
    digest = hashlib.md5(typed + found["salt"].encode(), usedforsecurity=False).hexdigest()
    return _same(digest, found["digest"].lower())


def werkzeug_pbkdf2(found: re.Match[str], typed: bytes) -> bool:
    """Werkzeug (Flask) before 3: PBKDF2, the salt a text."""
    costs.check(rounds := int(found["rounds"]), costs.MOST_PBKDF2)
    salt = found["salt"].encode()
    return _same(
        hashlib.pbkdf2_hmac(found["name"], typed, salt, rounds).hex(), found["digest"].lower()
    )


def werkzeug_scrypt(found: re.Match[str], typed: bytes) -> bool:
    """Werkzeug (Flask): scrypt, the salt a text."""
    return _same(_scrypt(found, typed, found["salt"].encode()).hex(), found["digest"].lower())


def django_scrypt(found: re.Match[str], typed: bytes) -> bool:
    """Django's ScryptPasswordHasher."""
    return _same_bytes(_scrypt(found, typed, found["salt"].encode()), _base64(found["digest"]))


def aspnet_2(found: re.Match[str], typed: bytes) -> bool:
    """ASP.NET Identity 2: one byte of zero, salt, PBKDF2-SHA1 of 1000 rounds."""
    data = _base64(found[0])
    return _same_bytes(hashlib.pbkdf2_hmac("sha1", typed, data[1:17], 1000, 32), data[17:])


def aspnet_3(found: re.Match[str], typed: bytes) -> bool:
    """ASP.NET Core Identity: digest, rounds and length of the salt in twelve bytes, then salt and PBKDF2."""
    data = _base64(found[0])
    digest, rounds, length = (int.from_bytes(data[i : i + 4], "big") for i in (1, 5, 9))
    costs.check(rounds, costs.MOST_PBKDF2)
    salt, derived = data[13 : 13 + length], data[13 + length :]
    if len(salt) < 8 or not 16 <= len(derived) <= 64 or digest > 2:
        raise ValueError("not in the format of ASP.NET")
    name = ("sha1", "sha256", "sha512")[digest]
    return _same_bytes(hashlib.pbkdf2_hmac(name, typed, salt, rounds, len(derived)), derived)


def directory_389(found: re.Match[str], typed: bytes) -> bool:
    """389 Directory Server: rounds, 64 bytes of salt, 256 of PBKDF2-SHA256."""
    data = _base64(found["data"])
    costs.check(rounds := int.from_bytes(data[:4], "big"), costs.MOST_PBKDF2)
    if len(data) != 4 + 64 + 256:
        raise ValueError("not in the format of 389")
    return _same_bytes(hashlib.pbkdf2_hmac("sha256", typed, data[4:68], rounds, 256), data[68:])


def oracle_12(found: re.Match[str], typed: bytes) -> bool:
    """Oracle 12c, `T:`: SHA-512 of a PBKDF2 of 4096 rounds and the salt."""
    data = bytes.fromhex(found["data"])
    digest, salt = data[:64], data[64:]
    key = hashlib.pbkdf2_hmac("sha512", typed, salt + b"AUTH_PBKDF2_SPEEDY_KEY", 4096, 64)
    return _same_bytes(hashlib.sha512(key + salt).digest(), digest)


def spring_scrypt(found: re.Match[str], typed: bytes) -> bool:
    """Spring Security's `{scrypt}`: the three parameters in one hexadecimal number."""
    packed = int(found["cost"], 16)
    n, r, p = 1 << (packed >> 16), packed >> 8 & 0xFF, packed & 0xFF
    costs.check_scrypt(n, r, p)
    salt, digest = _base64(found["salt"]), _base64(found["digest"])
    derived = hashlib.scrypt(
        typed, salt=salt, n=n, r=r, p=p, dklen=len(digest), maxmem=2 * costs.MOST_MEMORY
    )
    return _same_bytes(derived, digest)


def spring_sha256(found: re.Match[str], typed: bytes) -> bool:
    """Spring Security's `{sha256}`: 1024 rounds, the salt in the first eight bytes."""
    data = bytes.fromhex(found["data"])
    digest = data[:8] + typed
    for _ in range(1024):
        digest = hashlib.sha256(digest).digest()
    return _same_bytes(digest, data[8:])


def yescrypt(found: re.Match[str], typed: bytes) -> bool:
    """yescrypt, as the C library of most distributions makes it; N and r in two letters."""
    log2, r = (_PHPASS.index(found[name]) + 1 for name in ("n", "r"))
    costs.check_scrypt(1 << min(log2, 40), r, 1)
    return _same(crypt(typed, found[0]), found[0])


class Scheme(NamedTuple):
    """`form` is matched with the whole text; `by_form` when no other scheme looks alike."""

    form: re.Pattern[str]
    compute: Compute
    by_form: bool = True


_B64, _HEX = r"[A-Za-z0-9+/]+={0,2}", r"[0-9a-fA-F]"
SCHEMES = {
    "wordpress": Scheme(
        re.compile(r"\$wp(?P<bcrypt>\$2[aby]\$(?P<cost>[0-9]{2})\$[./A-Za-z0-9]{53})"), wordpress
    ),
    "drupal7": Scheme(
        re.compile(r"(?P<upgraded>U?)\$S\$(?P<cost>[./0-9A-Za-z])(?P<salt>.{8})(?P<digest>.{43})"),
        drupal,
    ),
    "joomla": Scheme(
        re.compile(rf"(?P<digest>{_HEX}{{32}}):(?P<salt>[^:]{{1,64}})"), joomla, by_form=False
    ),
    "werkzeug_pbkdf2": Scheme(
        re.compile(
            r"pbkdf2:(?P<name>sha1|sha256|sha512):(?P<rounds>[0-9]{1,10})\$(?P<salt>[^$]{1,64})"
            rf"\$(?P<digest>{_HEX}{{40,128}})"
        ),
        werkzeug_pbkdf2,
    ),
    "werkzeug_scrypt": Scheme(
        re.compile(
            r"scrypt:(?P<n>[0-9]{1,10}):(?P<r>[0-9]{1,5}):(?P<p>[0-9]{1,5})\$(?P<salt>[^$]{1,64})"
            rf"\$(?P<digest>{_HEX}{{128}})"
        ),
        werkzeug_scrypt,
    ),
    "django_scrypt": Scheme(
        re.compile(
            r"scrypt\$(?P<n>[0-9]{1,10})\$(?P<salt>[^$]{1,64})\$(?P<r>[0-9]{1,5})"
            rf"\$(?P<p>[0-9]{{1,5}})\$(?P<digest>{_B64})"
        ),
        django_scrypt,
    ),
    "aspnet_identity_2": Scheme(re.compile(r"A[A-P][A-Za-z0-9+/]{64}=="), aspnet_2),
    "aspnet_identity_3": Scheme(re.compile(r"AQAAAA[A-Za-z0-9+/]{40,}={0,2}"), aspnet_3),
    "389_pbkdf2_sha256": Scheme(re.compile(rf"\{{PBKDF2_SHA256\}}(?P<data>{_B64})"), directory_389),
    "oracle12": Scheme(re.compile(rf"T:(?P<data>{_HEX}{{160}})"), oracle_12),
    "spring_scrypt": Scheme(
        re.compile(rf"\{{scrypt\}}\$(?P<cost>{_HEX}{{1,8}})\$(?P<salt>{_B64})\$(?P<digest>{_B64})"),
        spring_scrypt,
    ),
    "spring_sha256": Scheme(re.compile(rf"\{{sha256\}}(?P<data>{_HEX}{{80}})"), spring_sha256),
    "yescrypt": Scheme(
        re.compile(
            r"\$y\$j(?P<n>[./0-9A-Za-z])(?P<r>[./0-9A-Za-z])\$[./0-9A-Za-z]{0,86}"
            r"\$[./0-9A-Za-z]{43}"
        ),
        yescrypt,
    ),
}
"""Compute functions raise ValueError for a hash that is malformed, UnsupportedHashError for a costly one."""


def _scrypt(found: re.Match[str], typed: bytes, salt: bytes) -> bytes:
    n, r, p = (int(found[name]) for name in "nrp")
    costs.check_scrypt(n, r, p)
    return hashlib.scrypt(typed, salt=salt, n=n, r=r, p=p, dklen=64, maxmem=2 * costs.MOST_MEMORY)


def _phpass_base64(data: bytes) -> str:
    """Six bits at a time, the lowest first."""
    text = ""
    for start in range(0, len(data), 3):
        group = data[start : start + 3]
        number = int.from_bytes(group, "little")
        text += "".join(_PHPASS[number >> 6 * at & 63] for at in range(len(group) + 1))
    return text


def _base64(text: str) -> bytes:
    """Raises ValueError."""
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("no base64") from error


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def _same_bytes(one: bytes, other: bytes) -> bool:
    return hmac.compare_digest(one, other)
