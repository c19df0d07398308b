"""How `idp legacy import` is told what a file is like."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal, TypeVar

import rich_click as click

from idp.cli.output import printable
from idp.errors import ConfigurationError
from idp.legacy import files
from idp.legacy.entries import Reading
from idp.legacy.files import Shape
from idp.legacy.source import LegacySource

T = TypeVar("T", bound=Callable[..., Any])

_JSON_LINES = {".jsonl", ".ndjson", ".json"}


@dataclass(frozen=True)
class Plan:
    """What is loaded, and how it is read; `size` rows make a batch."""

    source: str
    path: Path
    shape: Shape
    reading: Reading
    size: int
    dry: bool


def _mapping(_ctx: object, _option: object, pairs: tuple[str, ...]) -> dict[str, str]:
    read = {}
    for pair in pairs:
        word, equals, column = pair.partition("=")
        if not (word and equals and column):
            raise click.BadParameter(f"write {pair!r} like email=MAIL_ADDRESS.")
        read[word] = column
    return read


def _delimiter(_ctx: object, _option: object, text: str) -> str:
    sign = {"tab": "\t", "\\t": "\t"}.get(text, text)
    if len(sign) != 1 or sign in '"\r\n\0':
        raise click.BadParameter("write one character, or tab.")
    return sign


def _encoding(_ctx: object, _option: object, name: str) -> str:
    try:
        "".encode(name)
    except (LookupError, ValueError):
        raise click.BadParameter(f"{name!r} is none; try utf-8, cp1252 or latin-1.") from None
    return name.lower().replace("_", "-")


_OPTIONS = (
    click.option(
        "--format",
        "kind",
        type=click.Choice(["csv", "jsonl"]),
        help="As FILE's name says if left out.",
    ),
    click.option(
        "--map",
        "columns",
        multiple=True,
        callback=_mapping,
        metavar="WORD=COLUMN",
        help="Where a word is found, if not where the file of sources says.",
    ),
    click.option(
        "--delimiter",
        default=",",
        callback=_delimiter,
        help="Between columns: one character, or tab.",
    ),
    click.option("--encoding", default="utf-8", callback=_encoding, show_default=True),
    click.option("--date-format", default="", metavar="%d.%m.%Y", help="If not like 1950-03-14."),
    click.option(
        "--batch",
        type=click.IntRange(1, 10_000),
        default=2000,
        show_default=True,
        help="Rows written in one transaction.",
    ),
    click.option("--dry-run", "dry", is_flag=True, help="Say what would happen; write nothing."),
    click.option(
        "--rejects",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Write every line that was refused there, with the reason; without its data.",
    ),
    click.option(
        "--remove-missing",
        is_flag=True,
        help="Delete rows of earlier files that this one does not have any more.",
    ),
    click.option("--yes", is_flag=True, help="Also if that is most of them."),
)


def options(command: T) -> T:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def planned(
    source: LegacySource,
    path: Path,
    *,
    kind: Literal["csv", "jsonl"] | None,
    columns: Mapping[str, str],
    delimiter: str,
    encoding: str,
    date_format: str,
    batch: int,
    dry: bool,
) -> Plan:
    given = kind or ("jsonl" if path.suffix.lower() in _JSON_LINES else "csv")
    mapped = {**getattr(source.options, "columns", {}), **columns}
    if source.options.type != "imported":
        click.echo(
            f"{source.options.name} is of type {source.options.type}: what is loaded is used once its "
            'type is "imported".',
            err=True,
        )
    reading = Reading(mapped, date_format)
    return Plan(source.options.name, path, Shape(given, encoding, delimiter), reading, batch, dry)


def ignored_columns(file: BinaryIO, plan: Plan) -> list[str]:
    """Columns of the file that are not loaded. Raises ConfigurationError for what must be there and is not."""
    header = files.header(file, plan.shape)
    if header is None:
        return []
    wanted = plan.reading.wanted
    needed = {word: wanted[word] for word in ("key", "identifier")} | dict(plan.reading.columns)
    lacking = sorted(
        f"{column} ({word})" for word, column in needed.items() if column not in header
    )
    if lacking:
        raise ConfigurationError(
            f"{plan.path} has no column {printable(', '.join(lacking))}; {_first_line(header)}"
        )
    if wanted["password_hash"] not in header:
        click.echo(
            "There is no column password_hash: nobody can come with an old password.", err=True
        )
    return [name for name in header if name not in wanted.values()]


def _first_line(header: Sequence[str]) -> str:
    """What stands there, unless it may be somebody's row."""
    text = ", ".join(header)
    if re.search(r"[@$]|\d{4}", text):
        return "its first line looks like a person and not like names of columns: write those above"
    return f"it has {printable(text)[:500]}; look at --map and --delimiter"
