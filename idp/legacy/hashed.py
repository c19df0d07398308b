"""Sources whose rows are read and whose hashes are compared here: one knows from another how to find rows."""

from abc import ABC, abstractmethod

import structlog
from sqlalchemy.exc import SQLAlchemyError

from idp.legacy import hashes, rows
from idp.legacy.rows import HashedOptions, Row
from idp.legacy.source import (
    Admit,
    Answer,
    Match,
    Mismatch,
    Person,
    Unavailable,
    Unknown,
    Unsupported,
)

_log = structlog.get_logger("seuil.legacy")


class HashedSource(ABC):
    """Holds no connection while a password is compared."""

    options: HashedOptions

    def authenticate(self, identifier: str, password: str, admit: Admit) -> Answer:
        """See `LegacySource.authenticate`."""
        row = self._row(identifier)
        if not isinstance(row, Row):
            return row
        return admit(row.person.key) or self._compare(row, password)

    def find(self, identifier: str) -> Person | Unknown | Unsupported | Unavailable:
        """See `LegacySource.find`."""
        row = self._row(identifier)
        return row.person if isinstance(row, Row) else row

    @abstractmethod
    def _found(self, identifier: str) -> list[Row]:
        """The rows of an identifier; of more than one, two are enough. Raises SQLAlchemyError."""

    def _row(self, identifier: str) -> Row | Unknown | Unsupported | Unavailable:
        if not rows.can_be_asked(identifier):
            return Unknown()
        name = self.options.name
        try:
            found = self._found(identifier)
        except SQLAlchemyError as error:
            _log.warning("source_unavailable", source=name, error=type(error).__name__)
            return Unavailable()
        return rows.one_of(name, found)

    def _compare(self, row: Row, password: str) -> Answer:
        name = self.options.name
        try:
            right = self.options.fits(row, password)
        except hashes.UnsupportedHashError as error:
            return rows.unsupported(name, row.person.key, str(error))
        return Match(name, row.person) if right else Mismatch()
