"""What an old user store must answer."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from idp.accounts.profile import Profile


@dataclass(frozen=True)
class Match:
    """The password is right. `key` is the row's immutable key; `email` and `phone` may be empty."""

    source: str
    key: str
    profile: Profile
    email: str = ""
    phone: str = ""
    locked: bool = False
    must_change: bool = False


@dataclass(frozen=True)
class Mismatch:
    """There is such a row, but the password is wrong."""


@dataclass(frozen=True)
class Unknown:
    """There is no such row."""


@dataclass(frozen=True)
class Claimed:
    """The row belongs to an account already; its old password was not looked at."""


@dataclass(frozen=True)
class Held:
    """Too many tries at this row, under whatever spelling; its password was not looked at."""

    wait: timedelta


@dataclass(frozen=True)
class Unsupported:
    """The password cannot be checked: `reason` is for the operator, `key` names the row."""

    source: str
    key: str
    reason: str


@dataclass(frozen=True)
class Unavailable:
    """The store did not answer in time or at all."""


Answer = Match | Mismatch | Unknown | Claimed | Held | Unsupported | Unavailable
Admit = Callable[[str], Claimed | Held | None]
"""Asked with a row's key before its password is looked at; what it answers instead, if anything."""


class LegacySource(Protocol):
    """One old user store. No method raises; each ends within the source's time-out."""

    name: str

    def authenticate(self, identifier: str, password: str, admit: Admit) -> Answer:
        """Look the row up, ask `admit(key)`, and only then compare the password.

        The password is compared as typed, never normalised. Locked and must-change are told in a
        `Match` only: a wrong password for a locked row is a `Mismatch`.
        """

    def problem(self) -> str | None:
        """What is wrong with the store or with how it is described, for the operator; None: nothing."""

    def close(self) -> None:
        """Let go of every connection."""
