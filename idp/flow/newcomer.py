"""What a newcomer, whom no old system knows, tells of themselves on the last page before the account."""

import enum
import unicodedata
from dataclasses import dataclass
from datetime import date

from idp import clock
from idp.accounts.profile import Profile
from idp.flow import enrolment
from idp.flow.enrolment import Completed, CompletionLost, PasswordRefused
from idp.flow.position import Position, acting

PERSONAL = ("given_name", "family_name", "birthdate")
"""The fields of `Typed`, in order."""
_LONGEST = 100
_OLDEST = 1900


class ProfileProblem(enum.Enum):
    """What is missing or cannot be."""

    GIVEN_NAME = "given_name"
    FAMILY_NAME = "family_name"
    BIRTHDATE = "birthdate"


@dataclass(frozen=True)
class ProfileRefused:
    """All that is wrong with it."""

    problems: tuple[ProfileProblem, ...]


@dataclass(frozen=True)
class Typed:
    """As typed; the birth date as ISO 8601 or 14.3.1950."""

    given_name: str
    family_name: str
    birthdate: str


def finish(
    position: Position, typed: Typed, password: str, confirmation: str
) -> Completed | ProfileRefused | PasswordRefused | CompletionLost:
    """The last page of every migration; what a newcomer says is kept first."""
    if not position.newcomer:
        return enrolment.complete(position, password, confirmation)
    names = {"given_name": _name(typed.given_name), "family_name": _name(typed.family_name)}
    born = _date(typed.birthdate)
    missing = [ProfileProblem(word) for word, name in names.items() if not name]
    problems = (*missing, *(() if born else (ProfileProblem.BIRTHDATE,)))
    if problems:
        return ProfileRefused(problems)
    with acting(position) as now:
        assert now.case is not None, "a newcomer has a case"
        now.case.profile = Profile(birthdate=born, **names).as_json()
    return enrolment.complete(position, password, confirmation)


def _name(text: str) -> str:
    """One line, no control characters; empty when it is none or too long."""
    seen = "".join(sign for sign in text if unicodedata.category(sign)[0] != "C")
    name = " ".join(unicodedata.normalize("NFC", seen).split())
    return name if len(name) <= _LONGEST else ""


def _date(text: str) -> date | None:
    parts = text.strip().replace("/", ".").split(".")
    iso = "-".join(part.zfill(2) for part in reversed(parts)) if len(parts) == 3 else text.strip()
    try:
        born = date.fromisoformat(iso)
    except ValueError:
        return None
    return born if born.year >= _OLDEST and born <= clock.now().date() else None
