"""What an authorization request asks of the sign-in, held against the browser's session.

The same function decides what to ask the user and what `prompt=none` answers (OIDC Core 3.1.2.1).
"""

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta

_ASKS_AGAIN = {"login", "select_account"}
_JUST_NOW = timedelta(seconds=60)
"""For so long a sign-in counts as the one its request asked for; the browser comes back at once."""
_AT_MOST = timedelta(minutes=30)
"""So long a person may take on the pages that come after it."""


@dataclass(frozen=True)
class Requirements:
    """`max_age` in seconds; `sub` is the one person who will do, `acr` levels of which one must be reached."""

    prompt: frozenset[str] = frozenset()
    max_age: int | None = None
    sub: str | None = None
    acr: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Present:
    """The living session; `here` when its authentication was made for this very request, or met it when it
    came. `answered_at`: when the person answered the last page that came after it."""

    sub: str
    authenticated_at: datetime
    acr: str = ""
    here: bool = False
    answered_at: datetime | None = None


class Unmet(enum.Enum):
    """Why the session does not do."""

    NO_SESSION = "no-session"
    ASKED_AGAIN = "asked-again"
    TOO_OLD = "too-old"
    OTHER_PERSON = "other-person"
    OTHER_LEVEL = "other-level"


def unmet(requirements: Requirements, present: Present | None, now: datetime) -> Unmet | None:
    """The first requirement that the session does not meet; None when it meets all."""
    if present is None:
        return Unmet.NO_SESSION
    if requirements.sub is not None and requirements.sub != present.sub:
        return Unmet.OTHER_PERSON
    if requirements.acr and present.acr not in requirements.acr:
        return Unmet.OTHER_LEVEL
    left, age = present.answered_at or present.authenticated_at, now - present.authenticated_at
    if present.here and now - left <= _JUST_NOW and age <= _AT_MOST:
        return None
    return _asks_again(requirements, age)


def _asks_again(requirements: Requirements, age: timedelta) -> Unmet | None:
    if requirements.prompt & _ASKS_AGAIN:
        return Unmet.ASKED_AGAIN
    if requirements.max_age is not None and age > timedelta(seconds=requirements.max_age):
        return Unmet.TOO_OLD
    return None
