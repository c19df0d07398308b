"""Passwords of accounts: hashing (argon2id, RFC 9106), checking, and what a new one must be.

A local password is normalised (NFKC, NIST SP 800-63B-4 3.1.1.2), so that one typed on another keyboard
still fits. A legacy password is never altered: `hash_verbatim`.
"""

import enum
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn_rs_py import zxcvbn

from idp.accounts import common, leaked
from idp.accounts.profile import Profile
from idp.extensions import settings

_LONGEST_TYPED = 1024
"""Characters. Longer texts are not even normalised, which takes time with the square of their length."""
_SCORED = 48


@dataclass(frozen=True)
class PasswordCheck:
    """`right`, and a stronger hash to store when the options changed since the last sign-in."""

    right: bool
    rehash: str | None = None


class PasswordProblem(enum.Enum):
    """Why a new password is refused."""

    MISMATCH = "mismatch"
    TOO_SHORT = "too-short"
    TOO_LONG = "too-long"
    PERSONAL = "personal"
    COMMON = "common"
    WEAK = "weak"
    LEGACY = "legacy"
    PRESENT = "present"


def hash_password(password: str) -> str:
    """Hash a local password; about 22 ms with the defaults, so never inside a transaction."""
    return _hasher().hash(_normal(password))


def hash_verbatim(password: str) -> str:
    """Hash a legacy password as it is, to compare with a new one later."""
    return _hasher().hash(password.encode("utf-8", "surrogatepass"))


def check_password(stored: str, password: str) -> PasswordCheck:
    """Compare a typed password with the stored hash; about 22 ms, so never inside a transaction."""
    if len(password) > _LONGEST_TYPED:
        return PasswordCheck(right=False)
    password = _normal(password)
    if not _fits(stored, password):
        return PasswordCheck(right=False)
    stale = _hasher().check_needs_rehash(stored)
    return PasswordCheck(right=True, rehash=_hasher().hash(password) if stale else None)


def new_password_problems(
    password: str,
    confirmation: str,
    *,
    personal: tuple[str, ...],
    legacy_hash: str | None = None,
    present_hash: str | None = None,
) -> tuple[PasswordProblem, ...]:
    """All that is wrong with a new password, in the order in which to tell; empty when it is good.

    `personal` as `personal_words` gives them; `legacy_hash` is what `hash_verbatim` gave, `present_hash`
    what `hash_password` did. Hashes, and may ask a list over the network: never inside a transaction.

    That it is the present one comes last: whoever guesses at that changes the password by a wrong guess,
    and cannot guess again.
    """
    if max(len(password), len(confirmation)) > _LONGEST_TYPED:
        return (PasswordProblem.TOO_LONG,)
    normal = _normal(password)
    mismatch = (PasswordProblem.MISMATCH,) if normal != _normal(confirmation) else ()
    problem = _length_problem(normal)
    if problem is None and legacy_hash and _is_legacy(legacy_hash, password, normal):
        problem = PasswordProblem.LEGACY
    problem = problem or _guessable(normal, personal)
    if problem is None and not mismatch:
        problem = _known_elsewhere(normal, present_hash)
    return (*mismatch, problem) if problem else mismatch


def _length_problem(password: str) -> PasswordProblem | None:
    if len(password) < settings.password_min:
        return PasswordProblem.TOO_SHORT
    return PasswordProblem.TOO_LONG if len(password) > settings.password_max else None


def _guessable(password: str, personal: tuple[str, ...]) -> PasswordProblem | None:
    if _is_personal(password, personal):
        return PasswordProblem.PERSONAL
    if common.is_common(password, _own_words()):
        return PasswordProblem.COMMON
    weak = _score(password, personal) < settings.password_strength
    return PasswordProblem.WEAK if weak else None


def _own_words() -> tuple[str, ...]:
    """Words of this organisation: those configured, our host's labels, and what the service is called."""
    labels = (urlsplit(settings.issuer).hostname or "").split(".")
    service = settings.mail_from_name
    return (*settings.password_words, *labels, service, *service.split())


def personal_words(profile: Profile, email: str, *others: str) -> tuple[str, ...]:
    """Words that make a password easy to guess for this person."""
    born = (
        [profile.birthdate.strftime("%d%m%Y"), str(profile.birthdate.year)]
        if profile.birthdate
        else []
    )
    names = [profile.given_name, profile.family_name, profile.locality]
    return (email, email.partition("@")[0], *others, *names, *born)


def _score(password: str, personal: tuple[str, ...]) -> int:
    """zxcvbn's 0 to 4, of the beginning: its time grows fast, and no end makes a good beginning bad."""
    return int(zxcvbn(password[:_SCORED], [word for word in personal if word]).score)


def _is_personal(password: str, personal: tuple[str, ...]) -> bool:
    """True when little is left of the password once the person's own words are taken out."""
    rest = password.casefold()
    for word in sorted(personal, key=len, reverse=True):
        if len(word) >= 3:
            rest = rest.replace(_normal(word).casefold(), "")
    return len(rest) < len(password) and len(rest) < settings.password_min // 2


def _known_elsewhere(password: str, present_hash: str | None) -> PasswordProblem | None:
    if leaked.is_leaked(password):
        return PasswordProblem.COMMON
    present = present_hash is not None and _fits(present_hash, password)
    return PasswordProblem.PRESENT if present else None


def _is_legacy(legacy_hash: str, typed: str, normal: str) -> bool:
    return any(_fits(legacy_hash, text) for text in {typed, normal})


def _fits(stored: str, password: str) -> bool:
    try:
        return _hasher().verify(stored, password.encode("utf-8", "surrogatepass"))
    except (VerificationError, InvalidHashError):
        return False


def _normal(password: str) -> str:
    """NFKC; characters that UTF-8 cannot carry are replaced, so that any input can be hashed."""
    text = unicodedata.normalize("NFKC", password)
    return text.encode("utf-8", "replace").decode("utf-8")


def _hasher() -> PasswordHasher:
    return _hasher_for(settings.argon2_time, settings.argon2_memory, settings.argon2_parallelism)


@lru_cache
def _hasher_for(passes: int, memory: int, lanes: int) -> PasswordHasher:
    return PasswordHasher(time_cost=passes, memory_cost=memory, parallelism=lanes)
