"""`idp keys rewrap`: another key-encryption key, step by step, while every node goes on answering."""

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import rich_click as click

from idp import rewrapping
from idp.audit import keys as told
from idp.cli import clerk
from idp.cli.asking import confirm, yes_option
from idp.cli.common import database_only
from idp.cli.output import json_option, show_rows
from idp.errors import ConfigurationError
from idp.extensions import settings, transaction
from idp.keys import kek


@click.command()
@click.argument("step", required=False, type=click.Choice(["add", "turn", "values", "drop"]))
@click.option(
    "--leaked", is_flag=True, help="With drop: seals and form cookies get new secrets too."
)
@yes_option
@json_option
def rewrap(step: str | None, *, leaked: bool, yes: bool, as_json: bool) -> None:
    """Replace the key-encryption key while everything runs. Without a step: what would be wrapped anew.

    \b
    add     puts a second key into the file: it opens, and wraps nothing yet
    turn    lets that key wrap from now on; both open. Again: back to the first
    values  wraps anew what the other key wrapped; to be run again if it was stopped
    drop    forgets the other key, once nothing needs it

    Copy the file to every node after each step but values, before the next.
    """
    if leaked and step != "drop":
        raise click.UsageError("--leaked goes with drop.")
    with database_only():
        if step is None:
            show_rows(("key", "wraps", *rewrapping.TABLES), _report(), as_json=as_json)
            return
        question = _QUESTIONS.get(step)
        if question:
            kek.of_two(settings.kek_file)
    if question:
        confirm(question, yes=yes)
    with database_only():
        said, counts = _STEPS[step](settings.kek_file, leaked)
        with transaction():
            told.key_encryption_key_changed(step=step, counts=counts, actor=clerk.actor())
    click.echo(said)


_QUESTIONS = {
    "turn": "What it wraps is lost on nodes that have not got the new file. Does every node have it?",
    "drop": "What only the other key opens is lost. Does every node wrap with this one?",
}
_Done = tuple[str, Mapping[str, int]]


def _report() -> list[dict[str, Any]]:
    """A line for each key of the file, and one for what neither opens."""
    ring, found = kek.ring(), rewrapping.look()
    names = [*ring.keys, rewrapping.UNREADABLE]
    return [
        {
            "key": name,
            "wraps": name == ring.current,
            **{table: found[table][name] for table in rewrapping.TABLES},
        }
        for name in names
        if name in ring.keys or any(counts[name] for counts in found.values())
    ]


def _add(path: Path, _leaked: bool) -> _Done:
    name = kek.add(path)
    return f"Key {name} is in {path}. Copy the file to every node, then: idp keys rewrap turn", {}


def _turn(path: Path, _leaked: bool) -> _Done:
    name = kek.turn(path)
    return f"Key {name} wraps. Copy {path} to every node, then: idp keys rewrap values", {}


def _values(_path: Path, _leaked: bool) -> _Done:
    if len(kek.ring().keys) < 2:
        raise ConfigurationError("there is one key only: nothing is to be wrapped anew")
    counts = rewrapping.rewrap()
    said = ", ".join(f"{table} {count}" for table, count in counts.items())
    return f"Wrapped anew: {said}.", counts


def _drop(path: Path, leaked: bool) -> _Done:
    ring, found = kek.ring(), rewrapping.look()
    others = sum((Counter(counts) for counts in found.values()), Counter())
    left = sum(others[name] for name in ring.keys if name != ring.current)
    if left:
        raise ConfigurationError(f"{left} secrets need the other key: run `idp keys rewrap values`")
    stays, gone = kek.drop(path, leaked=leaked)
    then = " Then restart each, and run `idp audit restart`." if leaked else ""
    return (
        f"Key {gone} is gone, {stays} is left in {path}. Copy it to every node, make a new backup.{then}",
        {},
    )


_STEPS: dict[str, Callable[[Path, bool], _Done]] = {
    "add": _add,
    "turn": _turn,
    "values": _values,
    "drop": _drop,
}
