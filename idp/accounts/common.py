"""Passwords that are tried first: common words and names, however they are dressed up (NIST SP 800-63B-4
3.1.1.2).

Refused is one common word, or the same several times, or two of them: the lists hold some five thousand, so
that two make less than the 10^8 guesses that a zxcvbn score of 3 asks for; zxcvbn itself knows English
words only. Of three words there are enough.
"""

import re
import unicodedata
from functools import lru_cache

from idp import resources

_SHORTEST = 3
_LEET = str.maketrans(
    {"0": "o", "1": "i", "l": "i", "!": "i", "|": "i", "3": "e", "€": "e", "4": "a", "@": "a"}
    | {"5": "s", "$": "s", "7": "t", "+": "t", "8": "b", "9": "g", "œ": "oe", "æ": "ae"}
)
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})
_NO_LETTERS = r"[\W\d_]+"


def normalise(text: str) -> str:
    """What is left of a password once case, accents, leet spelling, all that is no letter, and years and
    other digits at the end are taken away: `Mot-de-P4sse!2024` and `motdepasse` are one.

    Letters that leet spelling cannot tell apart become one (`l`, `1` and `i`): good for comparing only.
    """
    bare = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    word = re.sub(f"{_NO_LETTERS}$", "", bare) or bare
    return re.sub(r"[\W\d_]", "", word.translate(_LEET))


def is_common(password: str, own_words: tuple[str, ...] = ()) -> bool:
    """True for one or two common words; `own_words` are those of the organisation, as common here."""
    words = _common() | _normalised(own_words)
    # A sign may stand for a letter, or just stand between two words.
    spelt = (password, re.sub(r"[\W_]+", "", password))
    begun = (re.sub(f"^{_NO_LETTERS}", "", text) for text in spelt)
    return any(_is_made_of(words, normalise(text)) for text in {*spelt, *begun})


def _is_made_of(words: frozenset[str], core: str) -> bool:
    once = re.sub(r"^(.{3,}?)\1+$", r"\1", core)
    return not words.isdisjoint((core, once)) or any(
        core[:cut] in words and core[cut:] in words
        for cut in range(_SHORTEST, len(core) - _SHORTEST + 1)
    )


@lru_cache(maxsize=1)
def _common() -> frozenset[str]:
    """The lists, normalised; German words with their umlauts written out as well."""
    found: list[str] = []
    for path in sorted(resources.folder("accounts.common_passwords").glob("*.txt")):
        lines = path.read_text(encoding="utf-8").splitlines()
        found += [word for line in lines if not line.startswith("#") for word in line.split(",")]
    return _normalised((*found, *(word.translate(_UMLAUTS) for word in found)))


@lru_cache(maxsize=8)
def _normalised(words: tuple[str, ...]) -> frozenset[str]:
    kept = {normalise(word) for word in words}
    return frozenset(word for word in kept if len(word) >= _SHORTEST)
