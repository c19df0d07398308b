"""Which scheme a hash is of, and whether a password fits it."""

import hashlib
import re

from idp.legacy.hashes import foreign, known
from idp.legacy.hashes.costs import UnsupportedHashError
from idp.security import tokens

_LONGEST_PASSWORD = 1024

SALTED = {f"{name}-salted": name for name in ("md5", "sha1", "sha256", "sha512")}
"""Home-made schemes: the hexadecimal digest of salt and password, one after the other."""

HOME_MADE = "home-made"
"""As the source describes it: see `homemade`."""
_PLAIN = "plaintext"
SCHEMES = {"auto", _PLAIN, HOME_MADE, *known.BY_FORM, *known.BY_NAME, *foreign.SCHEMES, *SALTED}
"""What a source can name; `verify` computes all but HOME_MADE."""

_WRAPPERS = {
    **dict.fromkeys(("{CRYPT}", "{crypt}", "{bcrypt}", "{BCRYPT}", "{argon2}", "{ARGON2}"), ""),
    "bcrypt$": "",
    "argon2$argon2": "$argon2",
    **{f"{{PBKDF2-{name}}}": f"$pbkdf2-{name.lower()}$" for name in ("SHA256", "SHA512")},
    "{PBKDF2}": "$pbkdf2$",
}
"""What directories, Spring and Django write before a hash, and what the hash begins with without it."""


def verify(
    stored: str, password: str, *, salt: str = "", scheme: str = "auto", charset: str = "utf-8"
) -> bool:
    """Compare a password, as typed, with a foreign hash.

    `scheme` is one of `SCHEMES`: "auto" (recognised by its form), one kind that it must be of, or one of
    `SALTED`, whose salt has a column of its own. `charset` is how the old system wrote passwords down as bytes.
    Raises UnsupportedHashError, and nothing else.
    """
    if len(password) > _LONGEST_PASSWORD:
        return False
    try:
        typed = password.encode(charset, "surrogatepass" if charset == "utf-8" else "strict")
    except UnicodeEncodeError:
        return False
    if scheme in SALTED:
        if not fits(stored, scheme):
            raise UnsupportedHashError(f"not a {scheme} hash")
        return tokens.same(_hex(SALTED[scheme], salt.encode() + typed), stored.strip().lower())
    if scheme == _PLAIN:
        return tokens.same(_hex("sha256", typed), _hex("sha256", stored.encode()))
    if scheme not in SCHEMES - {HOME_MADE}:
        raise UnsupportedHashError(f"unknown scheme {scheme}")
    return _compare(_bare(stored), typed, scheme)


def fits(stored: str, scheme: str) -> bool:
    """Whether a stored text has the form of a scheme of `SCHEMES` (but "auto"): nothing is computed."""
    if scheme in SALTED:
        return bool(_salted_form(scheme).fullmatch(stored.strip()))
    if scheme in {_PLAIN, HOME_MADE}:
        return True
    bare = _bare(stored)
    if scheme in foreign.SCHEMES:
        return bool(foreign.SCHEMES[scheme].form.fullmatch(bare))
    return known.fits(scheme, bare) if scheme in known.BY_NAME else known.identify(bare) == scheme


def _salted_form(scheme: str) -> re.Pattern[str]:
    digits = 2 * hashlib.new(SALTED[scheme], usedforsecurity=False).digest_size
    return re.compile(f"[0-9A-Fa-f]{{{digits}}}")


def identify(stored: str) -> str | None:
    """The scheme that a hash has the form of; None: none, or one of several, which the source has to name."""
    bare = _bare(stored)
    for name, scheme in foreign.SCHEMES.items():
        if scheme.by_form and scheme.form.fullmatch(bare):
            return name
    found = known.identify(bare)
    return None if found in known.BY_NAME else found


def candidates(stored: str, *, salted: bool = False) -> list[str]:
    """The schemes whose form a text has and which a source has to name; `salted`: the salt has a column."""
    if salted:
        return [name for name in SALTED if fits(stored, name)]
    bare = _bare(stored)
    return [name for name in known.BY_NAME if known.fits(name, bare)]


def _hex(name: str, data: bytes) -> str:
    return hashlib.new(name, data, usedforsecurity=False).hexdigest()


def _compare(stored: str, typed: bytes, scheme: str) -> bool:
    kind = identify(stored) if scheme == "auto" else scheme
    if kind is None:
        raise UnsupportedHashError(_guess(stored))
    if kind not in foreign.SCHEMES:
        if kind not in known.BY_NAME and known.identify(stored) != kind:
            raise UnsupportedHashError(f"not a {scheme} hash")
        return known.verify(kind, stored, typed)
    found = foreign.SCHEMES[kind].form.fullmatch(stored)
    if found is None:
        raise UnsupportedHashError(f"not a {kind} hash")
    try:
        return foreign.SCHEMES[kind].compute(found, typed)
    except (ValueError, OverflowError, MemoryError) as error:
        raise UnsupportedHashError(f"malformed {kind} hash") from error


def _bare(stored: str) -> str:
    """Without the name that stands before a hash which says itself what it is."""
    stored = stored.strip()
    for wrapper, bare in _WRAPPERS.items():
        if stored.startswith(wrapper):
            return bare + stored.removeprefix(wrapper)
    return stored


def _guess(stored: str) -> str:
    """What a hash might be that has the form of several."""
    alike = candidates(stored)
    if not alike:
        return "unrecognised hash"
    return f"could be {', '.join(alike)}: name the scheme in the source"
