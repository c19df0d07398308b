"""Personal information, as the old system knows it and as an account keeps it."""

from dataclasses import asdict, dataclass, fields
from datetime import date
from typing import Any, Self


@dataclass(frozen=True)
class Profile:
    """What is shown for checking. Texts may be empty; `birthdate` may be unknown."""

    given_name: str = ""
    family_name: str = ""
    birthdate: date | None = None
    street_address: str = ""
    postal_code: str = ""
    locality: str = ""
    country: str = ""

    def as_columns(self) -> dict[str, Any]:
        """Column name to value, for an `Account`."""
        return asdict(self)

    def as_json(self) -> dict[str, str | None]:
        """For a JSON column; `birthdate` as ISO 8601."""
        return {**asdict(self), "birthdate": self.birthdate and self.birthdate.isoformat()}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        """Read back what `as_json` wrote; unknown keys are left out."""
        known = {field.name for field in fields(cls)} - {"birthdate"}
        texts = {name: str(stored.get(name) or "") for name in known}
        born = stored.get("birthdate")
        return cls(birthdate=date.fromisoformat(born) if born else None, **texts)
