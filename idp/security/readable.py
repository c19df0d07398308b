"""Names and codes that people read out on the telephone."""

import hashlib
import secrets

READABLE = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Signs that nobody takes for another."""
_LETTERS = 8


def new_reference() -> str:
    """A name for support, such as `K7Q2-M4XD`; tells nothing about anybody."""
    return _grouped([secrets.choice(READABLE) for _ in range(_LETTERS)])


def reference_of(identifier: str) -> str:
    """The same name at every call, of something that has a random identifier; does not lead back to it."""
    digest = hashlib.sha256(f"seuil:reference:{identifier}".encode()).digest()
    number, letters = int.from_bytes(digest[:8], "big"), []
    for _ in range(_LETTERS):
        number, place = divmod(number, len(READABLE))
        letters.append(READABLE[place])
    return _grouped(letters)


def as_written(text: str) -> str:
    """The reference that somebody typed, however it was read out: case, dashes and spaces do not matter."""
    letters = [sign for sign in text.upper() if sign in READABLE]
    return _grouped(letters)


def _grouped(letters: list[str]) -> str:
    return "".join(letters[:4]) + "-" + "".join(letters[4:])
