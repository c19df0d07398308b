"""Rows of an old store in our words: what is in them, and whether a password fits."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from difflib import get_close_matches
from typing import Any, Literal, Self

import structlog
from pydantic import field_validator, model_validator

from idp.accounts.profile import Profile
from idp.legacy import hashes
from idp.legacy.hashes.homemade import HomeMade
from idp.legacy.source import (
    Person,
    SourceOptions,
    Unknown,
    Unsupported,
)

_log = structlog.get_logger("seuil.legacy")

_PROFILE = tuple(field.name for field in fields(Profile) if field.name != "birthdate")
WORDS = (
    *("key", "identifier", "password_hash", "salt", "scheme", "email", "phone"),
    *(*_PROFILE, "birthdate", "locked", "must_change"),
)
"""What a column may be mapped to; columns mapped to any other word are kept as attributes."""

_FALSE = {"", "0", "0.0", "\x00", "f", "false", "n", "no", "non", "off", "none", "nein", "aus"}
"""What a flag column says when it is not set; whatever else it says is taken for set."""
_SCHEMES = ", ".join(sorted(hashes.SCHEMES))
_LONGEST_IDENTIFIER = 254
LONGEST_KEY = 255


class HashedOptions(SourceOptions):
    """Of a source whose hashes are compared here. `hash` is the scheme of rows that name none: "auto" (by its
    form), one of `hashes.SCHEMES`, or "home-made" as `home_made` describes it. `charset` is how the old system
    wrote passwords down as bytes."""

    hash: str = "auto"
    charset: Literal["utf-8", "latin-1", "cp1252", "utf-16-le"] = "utf-8"
    home_made: HomeMade | None = None

    @field_validator("hash")
    @classmethod
    def _known(cls, scheme: str) -> str:
        if scheme not in hashes.SCHEMES:
            near = get_close_matches(scheme.lower(), hashes.SCHEMES, n=5, cutoff=0.4)
            known = f"did you mean {', '.join(near)}?" if near else f"choose of {_SCHEMES}"
            raise ValueError(f"hash cannot be {scheme}; {known}")
        return scheme

    @model_validator(mode="after")
    def _described(self) -> Self:
        if self.hash == hashes.HOME_MADE and self.home_made is None:
            raise ValueError("describe the home-made scheme in [source.home_made]")
        return self

    def fits(self, row: "Row", password: str) -> bool:
        """Whether the password is the row's. Raises UnsupportedHashError."""
        scheme = row.scheme or self.hash
        if scheme == hashes.HOME_MADE and self.home_made is not None:
            return self.home_made.verify(row.password_hash, password, row.salt)
        return hashes.verify(
            row.password_hash, password, salt=row.salt, scheme=scheme, charset=self.charset
        )


@dataclass(frozen=True)
class Row:
    """One person, and what their password is compared with."""

    person: Person
    password_hash: str = ""
    salt: str = ""
    scheme: str = ""


def read(record: Mapping[str, object], columns: Mapping[str, str]) -> Row:
    """A record of a store. A word that `columns` does not map is looked for under its own name."""

    def value(word: str) -> object:
        return record.get(columns.get(word, word))

    def text(word: str) -> str:
        return _as_text(value(word))

    person = Person(
        **{word: text(word) for word in ("key", "identifier", "email", "phone")},
        profile=Profile(
            birthdate=_date(value("birthdate")), **{word: text(word) for word in _PROFILE}
        ),
        locked=_flag(value("locked")),
        must_change=_flag(value("must_change")),
        attributes={word: text(word) for word in columns if word not in WORDS},
    )
    return Row(person, text("password_hash"), text("salt"), text("scheme"))


def one_of(source: str, rows: list[Row]) -> Row | Unknown | Unsupported:
    """The row that an identifier stands for: more than one, or one without a key, is a doubt, and a doubt is
    nobody's sign-in."""
    if not rows:
        return Unknown()
    key = rows[0].person.key
    doubt = _doubt(rows, key)
    return unsupported(source, key[:LONGEST_KEY], doubt) if doubt else _storable(rows[0])


def can_be_asked(identifier: str) -> bool:
    """False for what no store can hold: NUL, lone surrogates, endless text."""
    try:
        identifier.encode()
    except UnicodeEncodeError:
        return False
    return 0 < len(identifier) <= _LONGEST_IDENTIFIER and "\x00" not in identifier


def unsupported(source: str, key: str, reason: str) -> Unsupported:
    """The operator learns why a password cannot be checked; the person does not."""
    _log.error("password_cannot_be_checked", source=source, key=key, reason=reason)
    return Unsupported(source, key, reason)


def _doubt(rows: list[Row], key: str) -> str | None:
    """Why nobody can be signed in with these rows."""
    if len(rows) > 1:
        return "several rows for one identifier"
    if not key:
        return "no key"
    if "\x00" in key:
        return "NUL in the key"
    return "key longer than 255 characters" if len(key) > LONGEST_KEY else None


def _as_text(value: object) -> str:
    """A column's value; drivers give some columns as bytes."""
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).decode("utf-8", "replace")
    return "" if value is None else str(value)


def _storable(row: Row) -> Row:
    """Without NUL, the one character that no text of PostgreSQL holds."""

    def bare(values: Mapping[str, Any]) -> dict[str, Any]:
        return {
            name: value.replace("\x00", "") if isinstance(value, str) else value
            for name, value in values.items()
        }

    person = row.person
    clean = {
        **bare(vars(person)),
        "profile": Profile(**bare(vars(person.profile))),
        "attributes": bare(person.attributes),
    }
    return replace(row, person=Person(**clean))


def _date(value: object) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value)[:10]) if value else None
    except ValueError:
        return None


def _flag(value: object) -> bool:
    return _as_text(value).strip().lower() not in _FALSE
