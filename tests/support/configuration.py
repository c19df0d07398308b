"""Writes docs/configuration.md from the declarations in config.py: `make docs`."""

import re
from datetime import timedelta
from pathlib import Path

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from config import Settings

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "configuration.md"

_HEAD = """# Configuration

Made from `config.py` by `make docs`. Every option is an environment variable, or a line of the file that
`IDP_ENV_FILE` names. Durations are seconds, ISO 8601 (`PT10M`) or `HH:MM:SS`; lists have commas. `idp check`
says what is wrong with a configuration.
"""


def sections() -> dict[str, list[str]]:
    """Heading to option names, as the comments of config.py group them."""
    found: dict[str, list[str]] = {}
    for line in (ROOT / "config.py").read_text().splitlines():
        heading = re.match(r"    # -- (.+?)(?: \(.*\))? -+$", line)
        option = re.match(r"    (\w+): .*= Field\(", line)
        if heading:
            found[heading[1]] = []
        elif option and found:
            found[list(found)[-1]].append(option[1])
    return found


def page() -> str:
    """The whole page."""
    parts = [_HEAD]
    for heading, names in sections().items():
        parts.append(f"\n## {heading}\n\n| option | default | |\n|---|---|---|\n")
        parts += [_row(name, Settings.model_fields[name]) for name in names]
    return "".join(parts)


def _row(name: str, field: FieldInfo) -> str:
    text = " ".join((field.description or "").split())
    return f"| `IDP_{name.upper()}` | {_default(field.default)} | {text} |\n"


def _default(value: object) -> str:
    """As one would write it."""
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, timedelta):
        return f"`{_duration(value)}`"
    if isinstance(value, tuple):
        return f"`{','.join(value)}`"
    return "none" if value in (None, "") else f"`{value}`"


def _duration(value: timedelta) -> str:
    seconds = value.total_seconds()
    for size, mark in ((86400, "P{}D"), (3600, "PT{}H"), (60, "PT{}M")):
        if seconds >= size and seconds % size == 0:
            return mark.format(int(seconds // size))
    return f"PT{seconds:g}S"


if __name__ == "__main__":
    PAGE.write_text(page())
