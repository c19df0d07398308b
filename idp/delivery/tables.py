"""Reading one table of the routes file: each wrong option is a ValueError that says what to write."""

from collections.abc import Mapping
from typing import Any

from idp.security.references import secret

_NOTHING = object()
_KINDS: Mapping[type, str] = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    list: "a list",
    dict: "a table",
}


class TomlTable:
    """The options of a route, taken one by one; what is left at the end is unknown."""

    def __init__(self, table: Mapping[str, Any], within: str = "") -> None:
        self._left, self._within = dict(table), within

    def has(self, name: str) -> bool:
        """True while the option is there and was not taken yet."""
        return name in self._left

    def text(self, name: str, default: str | None = None) -> str:
        """A text, or what `env:NAME` or `file:PATH` holds. Without a default it must not be missing."""
        return secret(self._take(name, str, default))

    def choice(self, name: str, choices: tuple[str, ...], default: str) -> str:
        """One of a few words."""
        value: str = self._take(name, str, default)
        if value not in choices:
            raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}")
        return value

    def number(self, name: str, default: float, *, most: float) -> float:
        """A number above zero."""
        value = self._take(name, float, default)
        if not 0 < value <= most:
            raise ValueError(f"{name} must be above 0 and at most {most:g}")
        return float(value)

    def port(self, default: int) -> int:
        """A TCP port."""
        value: int = self._take("port", int, default)
        if not 0 < value < 65536:
            raise ValueError("port must be from 1 to 65535")
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        """True or false."""
        value: bool = self._take(name, bool, default)
        return value

    def texts(self, name: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """A list of texts."""
        values = self._take(name, list, list(default))
        if not all(isinstance(value, str) for value in values):
            raise ValueError(f"{name} must be a list of texts")
        return tuple(values)

    def secrets(self, name: str) -> dict[str, str]:
        """A table of texts, each as `text` reads it."""
        return {key: secret(value) for key, value in self.table(name).items()}

    def table(self, name: str) -> dict[str, str]:
        """A table of texts."""
        values = self._take(name, dict, {})
        if not all(isinstance(value, str) for value in values.values()):
            raise ValueError(f"{name} must be a table of texts")
        return dict(values)

    def raw(self, name: str, kind: type, default: Any = _NOTHING) -> Any:
        """A value of one kind, looked at by the caller."""
        return self._take(name, kind, default)

    def end(self) -> None:
        """Raises ValueError when something is left."""
        if self._left:
            unknown = ", ".join(self._within + name for name in sorted(self._left))
            raise ValueError(f"unknown option {unknown}")

    def _take(self, name: str, kind: type, default: Any) -> Any:
        value = self._left.pop(name, default)
        if value is _NOTHING or value is None:
            raise ValueError(f"{name} is missing")
        right = isinstance(value, int | float if kind is float else kind)
        if not right or (isinstance(value, bool) and kind in {int, float}):
            raise ValueError(f"{self._within}{name} must be {_KINDS[kind]}")
        return value
