"""`idp legacy reconcile`: whether whoever has migrated is still let in over there."""

from typing import Any

import rich_click as click

from idp.cli import clerk
from idp.cli.old_systems import named, old_systems
from idp.cli.output import json_option, show_rows, to_json
from idp.cli.progress import progress
from idp.errors import ConfigurationError
from idp.legacy.source import LegacySource
from idp.migration import callbacks, doors
from idp.migration.doors import Compared, Door, DoorError

_COLUMNS = (
    "source",
    "migrated",
    "closed",
    "open",
    "gone",
    "unseen",
    "to_tell",
    "waits_since",
    "last_error",
)


@click.command()
@click.argument("source", required=False)
@click.option(
    "--retry", is_flag=True, help="Tell the old system again of those whose door is open."
)
@json_option
@click.pass_context
def reconcile(ctx: click.Context, /, source: str | None, *, retry: bool, as_json: bool) -> None:
    """Compare both sides: of all who have migrated, whom the old system still lets in. Exit code 1 if it does.

    Rows that are `locked` over there count as closed. A `sql` source is read with its `list`; others, and
    those without one, are asked for each person by the old identifier: whom that does not find is `unseen`.
    """
    with old_systems():
        wanted = [named(source)] if source else doors.watched()
        if not wanted or any(one not in doors.watched() for one in wanted):
            raise ConfigurationError(
                "copies have no door: name a source of another type than imported"
            )
        if retry:
            _demand_informed(wanted)
        number = sum(doors.migrated(one.options.name) for one in wanted)
        clerk.looked_at("legacy reconcile", number, {"source": source, "retry": retry})
        compared = [_compare(one, retry=retry) for one in wanted]
        rows = [_row(one) for one in compared]
        told = callbacks.sources()
    if as_json:
        listed = [
            {**row, "examples": one.examples} for row, one in zip(rows, compared, strict=True)
        ]
        click.echo(to_json(listed))
    else:
        show_rows(_COLUMNS, rows, as_json=False)
        _say(compared, told, retry=retry)
    ctx.exit(1 if any(one.doors[Door.OPEN] for one in compared) else 0)


def _demand_informed(wanted: list[LegacySource]) -> None:
    for one in wanted:
        if one.options.name not in callbacks.sources():
            raise ConfigurationError(f"{one.options.name} has no on_migrated: it cannot be told")


def _compare(source: LegacySource, *, retry: bool) -> Compared:
    try:
        with progress(source.options.name) as meter:
            return doors.compare(source, meter, retry=retry)
    except DoorError as error:
        raise ConfigurationError(str(error)) from None


def _row(compared: Compared) -> dict[str, Any]:
    untold = callbacks.waiting(compared.source)
    return {
        "source": compared.source,
        "migrated": compared.migrated,
        **{door.value: number for door, number in compared.doors.items()},
        "to_tell": untold.count,
        "waits_since": untold.since,
        "last_error": untold.last_error,
    }


def _say(compared: list[Compared], told: list[str], *, retry: bool) -> None:
    examples = [example for one in compared for example in one.examples]
    others = sum(one.doors[Door.OPEN] for one in compared) - len(examples)
    if examples:
        more = f" and {others} more" if others else ""
        click.echo(f"still open: {', '.join(examples)}{more}")
    if examples and all(one.source in told for one in compared):
        click.echo("they are told again" if retry else "--retry tells the old system again")
