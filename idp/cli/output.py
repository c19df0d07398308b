"""Tables for people, JSON for machines."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import rich_click as click
from rich.console import Console
from rich.table import Table
from rich.text import Text

T = TypeVar("T", bound=Callable[..., Any])

_UNBOUNDED = 10_000
_PROSE = {"message", "last_error", "client_name", "scope"}
"""Columns that may be broken over lines; whatever else is copied, so it stays in one piece."""


def json_option(command: T) -> T:
    """`--json` for a read command."""
    decorate: Callable[[T], T] = click.option(
        "--json", "as_json", is_flag=True, help="Write JSON for machines."
    )
    return decorate(command)


def show_rows(columns: Sequence[str], rows: Sequence[Mapping[str, Any]], *, as_json: bool) -> None:
    """A table, as wide as its identifiers need, or a JSON list."""
    if as_json:
        click.echo(to_json([dict(row) for row in rows]))
        return
    table = Table()
    for column in columns:
        cells = [_cell(row[column]) for row in rows]
        whole = 0 if column in _PROSE else max(map(_width, cells), default=0)
        table.add_column(column, overflow="fold", min_width=whole or None)
    for row in rows:
        table.add_row(*(_cell(row[column]) for column in columns))
    console = Console()
    need = console.measure(table, options=console.options.update(max_width=_UNBOUNDED))
    console.width = max(console.width, need.minimum if console.is_terminal else need.maximum)
    console.print(table)


def _width(cell: Text) -> int:
    return max((line.cell_len for line in cell.split("\n")), default=0)


def show_record(record: Mapping[str, Any], *, as_json: bool) -> None:
    """One thing, a line for each name, or a JSON object. Long values are never broken."""
    if as_json:
        click.echo(to_json(dict(record)))
        return
    width = max(map(len, record), default=0)
    for name, value in record.items():
        first, *others = _cell(value).plain.split("\n")
        click.echo(f"{name:<{width}}  {first}")
        for other in others:
            click.echo(f"{'':<{width}}  {other}")


def to_json(value: object) -> str:
    """Indented, moments in ISO 8601."""
    written = json.dumps(value, indent=2, ensure_ascii=False, default=_plain)
    return "".join(one if one.isprintable() or one == "\n" else _escaped(one) for one in written)


def _escaped(letter: str) -> str:
    """As JSON has it: what acts on a terminal does not act, and reads back as it was."""
    return json.dumps(letter)[1:-1]


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _cell(value: object) -> Text:
    """Text as it is: neither rich's markup nor a terminal's control characters act."""
    if isinstance(value, datetime):
        return Text(value.isoformat(sep=" ", timespec="seconds").replace("+00:00", "Z"))
    if isinstance(value, dict):
        return Text(to_json(value))
    parts = value if isinstance(value, list | tuple) else ["" if value is None else value]
    return Text("\n".join(printable(str(part)) for part in parts))


def printable(text: str) -> str:
    """A text whose control characters do nothing to a terminal."""
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text
    )
