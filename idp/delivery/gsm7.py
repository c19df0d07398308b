"""SMS alphabets (3GPP TS 23.038): the GSM 7-bit one, its extension, and UCS-2 for all others."""

from collections.abc import Iterator

_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = {
    "\f": 0x0A,
    "^": 0x14,
    "{": 0x28,
    "}": 0x29,
    "\\": 0x2F,
    "[": 0x3C,
    "~": 0x3D,
    "]": 0x3E,
    "|": 0x40,
    "€": 0x65,
}
_SEPTETS = {letter: bytes([index]) for index, letter in enumerate(_BASIC) if letter != "\x1b"} | {
    letter: bytes([0x1B, index]) for letter, index in _EXTENSION.items()
}

DEFAULT, UCS2 = 0x00, 0x08
"""Data codings (SMPP 3.4, 5.2.19)."""


def encode(text: str) -> tuple[int, list[bytes]]:
    """Data coding, and the octets of each letter: septets unpacked, one an octet, or UTF-16 (big-endian)."""
    if all(letter in _SEPTETS for letter in text):
        return DEFAULT, [_SEPTETS[letter] for letter in text]
    return UCS2, [letter.encode("utf-16-be") for letter in text]


def parts(text: str) -> tuple[int, list[bytes]]:
    """Data coding and segments: one of 160 septets or 70 UTF-16 units, else several of 153 or 67.

    No letter is torn apart.
    """
    coding, letters = encode(text)
    whole, shorter = (160, 153) if coding == DEFAULT else (140, 134)
    if sum(map(len, letters)) <= whole:
        return coding, [b"".join(letters)]
    return coding, list(_filled(letters, shorter))


def _filled(letters: list[bytes], size: int) -> Iterator[bytes]:
    segment = b""
    for letter in letters:
        if len(segment) + len(letter) > size:
            yield segment
            segment = b""
        segment += letter
    yield segment
