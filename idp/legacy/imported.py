"""An old user store whose rows were loaded ahead, so that the old system can be switched off."""

from collections.abc import Generator, Mapping
from typing import Any, Literal

import structlog
from pydantic import Field
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from idp.accounts.profile import Profile
from idp.extensions import snapshot
from idp.legacy import copies
from idp.legacy.copies import LegacyRow
from idp.legacy.hashed import HashedSource
from idp.legacy.rows import HashedOptions, Row
from idp.legacy.source import Person

_log = structlog.get_logger("seuil.legacy")


class ImportedOptions(HashedOptions):
    """`columns` maps our words to columns of the files that `idp legacy import` reads; `case_sensitive`:
    `Jeanne` and `jeanne` are two people. More threads `at_once` than elsewhere: nobody waits for a network."""

    type: Literal["imported"] = "imported"
    columns: Mapping[str, str] = Field(default_factory=dict)
    case_sensitive: bool = False
    at_once: int = Field(32, ge=1)


class ImportedSource(HashedSource):
    """Reads our own table. Of a claimed row only key and identifier are left."""

    options: ImportedOptions

    def __init__(self, options: ImportedOptions) -> None:
        self.options = options

    def problem(self) -> str | None:
        """See `LegacySource.problem`. No rows are none: whoever waits for a load must not keep others out."""
        try:
            copies.readable()
        except SQLAlchemyError as error:
            return f"cannot read its rows: {type(error).__name__}"
        return None

    @property
    def listed(self) -> bool:
        """See `Listable.listed`."""
        return True

    def count(self) -> int:
        """See `Listable.count`."""
        return copies.count(self.options.name)

    def rows(self) -> Generator[Row]:
        """See `Listable.rows`; without those that accounts hold, of which there is nothing to tell."""
        table = LegacyRow.__table__
        living = select(table).where(
            table.c.source == self.options.name, table.c.erased_at.is_(None)
        )
        with snapshot() as connection:
            for record in connection.execute(living):
                yield _as_row(record)

    def close(self) -> None:
        """See `LegacySource.close`: the connections are not ours."""

    def _found(self, identifier: str) -> list[Row]:
        name, exactly = self.options.name, self.options.case_sensitive
        return [_as_row(row) for row in copies.spelt(name, identifier, exactly=exactly)]


def _as_row(stored: Any) -> Row:
    person = Person(
        key=stored.key,
        identifier=stored.identifier,
        email=stored.email,
        phone=stored.phone,
        profile=Profile.from_json(stored.profile),
        locked=stored.locked,
        must_change=stored.must_change,
        attributes=stored.attributes,
    )
    return Row(person, stored.password_hash, stored.salt, stored.scheme)
