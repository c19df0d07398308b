"""What an old user store must answer."""

import enum
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Protocol, runtime_checkable

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
)

from idp.accounts.profile import Profile
from idp.security.references import secret

if TYPE_CHECKING:
    from idp.legacy.rows import Row

Secret = Annotated[SecretStr, BeforeValidator(secret)]
"""Written in the file, or taken from `env:NAME` or `file:PATH`."""


class Proof(enum.StrEnum):
    """What opens a migration: the old password; also a code to the contact on record; also an invitation."""

    PASSWORD = "password"
    CONTACT = "contact"
    INVITE = "invite"


class SourceOptions(BaseModel):
    """What the file of sources can say of any kind of source. `timeout` in seconds.

    Its passwords are accepted from the day `opens` to the day `closes`, both included. `tries` is how many
    wrong passwords the old system gets to see of one row in a quarter of an hour, wherever they come from: less
    than what it locks somebody out for. `at_once` is how many threads of a process may wait for it. `known` is
    how many people it holds, where its rows cannot be counted.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, max_length=64)
    type: str
    enabled: bool = True
    proof: Proof = Proof.PASSWORD
    timeout: float = Field(5.0, gt=0, le=60)
    opens: date | None = None
    closes: date | None = None
    known: int | None = Field(None, ge=0)
    tries: int = Field(10, ge=1)
    at_once: int = Field(2, ge=1)

    @field_validator("closes")
    @classmethod
    def _after_it_opens(cls, closes: date | None, info: ValidationInfo) -> date | None:
        opens = info.data.get("opens")
        if closes and opens and closes < opens:
            raise ValueError("is before the day it opens")
        return closes


@dataclass(frozen=True)
class Person:
    """What a store says of one person. `key` never changes; every text may be empty.

    `identifier` is the store's own spelling; `attributes` are its further columns that the file names.
    """

    key: str
    identifier: str = ""
    email: str = ""
    phone: str = ""
    profile: Profile = field(default_factory=Profile)
    locked: bool = False
    must_change: bool = False
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Match:
    """The password is right."""

    source: str
    person: Person


@dataclass(frozen=True)
class Mismatch:
    """There is such a row, but the password is wrong."""


@dataclass(frozen=True)
class Unknown:
    """There is no such row."""


@dataclass(frozen=True)
class Claimed:
    """The row belongs to an account already (its row id); the old password was not looked at."""

    account_id: int = 0


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


def in_words(answer: Answer) -> str:
    """Why an old system lets nobody in, for operators."""
    match answer:
        case Unsupported(source=source, key=key, reason=reason):
            return f"{source}:{key}: {reason}"
        case Mismatch():
            return "wrong old password"
        case Held():
            return "too many tries at the row"
        case Unavailable():
            return "an old system does not answer"
        case _:
            return "no old system knows it"


class LegacySource(Protocol):
    """One old user store. No method raises; each ends within the source's time-out."""

    @property
    def options(self) -> SourceOptions:
        """How the file describes it."""

    def authenticate(self, identifier: str, password: str, admit: Admit) -> Answer:
        """Look the row up, ask `admit(key)`, and only then compare the password.

        The password is compared as typed, never normalised. Locked and must-change are told in a
        `Match` only: a wrong password for a locked row is a `Mismatch`.
        """

    def find(self, identifier: str) -> Person | Unknown | Unsupported | Unavailable:
        """The person behind an identifier, without a password."""

    def problem(self) -> str | None:
        """What is wrong with the store or with how it is described, for the operator; None: nothing."""

    def close(self) -> None:
        """Let go of every connection."""


@dataclass(frozen=True)
class Migrated:
    """Somebody of a source has an account now: `sub` is theirs. `identifier` may be empty."""

    key: str
    identifier: str
    sub: str
    at: datetime


class NotTakenError(Exception):
    """The store did not take what it was told; says why in a few words, without any of it."""


@runtime_checkable
class Informed(Protocol):
    """A source that is told when somebody has migrated, so that it lets them in no more."""

    @property
    def wants_to_know(self) -> bool:
        """False where the file does not say how."""

    def tell(self, migrated: Migrated) -> None:
        """Tell it; again must do no harm. Raises NotTakenError; ends within the source's time-out."""


def informed(source: LegacySource) -> Informed | None:
    """The source, when it wants to be told."""
    return source if isinstance(source, Informed) and source.wants_to_know else None


@runtime_checkable
class Listable(Protocol):
    """A source whose rows can be read one after the other, for an operator who takes stock."""

    @property
    def listed(self) -> bool:
        """False where the file does not say how."""

    def rows(self) -> Generator["Row"]:
        """Every row, read in bounded memory. Raises SQLAlchemyError where the store cannot be read."""

    def count(self) -> int:
        """How many rows there are. Raises SQLAlchemyError where the store cannot be read."""


def listable(source: LegacySource) -> Listable | None:
    """The source, when its rows can be listed."""
    return source if isinstance(source, Listable) and source.listed else None
