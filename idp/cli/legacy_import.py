"""`idp legacy import` and `forget`: a copy of an old system, so that it can be switched off."""

from contextlib import closing, suppress
from dataclasses import asdict
from io import BufferedReader
from pathlib import Path
from typing import Any

import rich_click as click
from sqlalchemy.exc import DBAPIError

from idp.audit import events
from idp.cli import clerk
from idp.cli.asking import confirm, yes_option
from idp.cli.common import database_only
from idp.cli.legacy_files import Plan, ignored_columns, options, planned
from idp.cli.old_systems import named, old_systems
from idp.cli.output import json_option, printable, show_record
from idp.cli.private_files import Lines, lines_of
from idp.cli.progress import progress
from idp.errors import ConfigurationError
from idp.extensions import transaction
from idp.legacy import copies, entries, files, loading
from idp.legacy.entries import Batch
from idp.legacy.files import Fault
from idp.legacy.loading import Load, Written

_SHOWN = 20
"""Bad lines that are told on the terminal."""


class _Stopped(click.ClickException):
    """Somebody pressed Ctrl-C, as shells number it."""

    exit_code = 130


@click.command("import")
@click.argument("source")
@click.argument("file", type=click.Path(path_type=Path))
@options
@json_option
@click.pass_context
def import_rows(
    ctx: click.Context,
    /,
    source: str,
    file: Path,
    *,
    rejects: Path | None,
    remove_missing: bool,
    yes: bool,
    as_json: bool,
    **how: Any,
) -> None:
    """Load the rows of an old system into a copy: CSV with a header, or a JSON object a line.

    Run again after an interruption, it goes on where it stopped; with a newer file, it updates. Rows
    that an account holds already stay as they are. Exit code 1 if lines were refused: all others are in.
    """
    with old_systems(), files.opened(file) as opened:
        plan = planned(named(source), file, **how)
        ignored = ignored_columns(opened, plan)
        load, left = _load(plan, opened, rejects), 0
        if not plan.dry:
            left = _left_over(load, remove=remove_missing, sure=yes)
    shown = {"source": source, **asdict(load.tally), "left_over": left}
    show_record(shown | ({"ignored": ignored} if plan.dry else {}), as_json=as_json)
    _advise(left)
    ctx.exit(1 if load.tally.refused else 0)


@click.command("forget")
@click.argument("source")
@yes_option
def forget_rows(source: str, *, yes: bool) -> None:
    """Delete the whole copy of an old system, at the end of a migration. Accounts stay."""
    with database_only():
        count = copies.count(source)
        if not count:
            raise ConfigurationError(f"no rows of {source} are loaded")
        confirm(f"Delete {count} rows? Whoever has not come yet cannot come any more.", yes=yes)
        gone = loading.forget(source)
        with transaction():
            events.rows_removed(source=source, count=gone, why="forgotten", actor=clerk.actor())
    click.echo(f"{gone} rows of {source} are deleted.")


def _load(plan: Plan, file: BufferedReader, rejects: Path | None) -> Load:
    """Load what is not loaded yet."""
    load = _begin(plan, file)
    if load.position:
        click.echo(f"Going on after {load.position} rows.", err=True)
    try:
        with lines_of(rejects, append=load.position > 0, never=plan.path) as lines:
            _run(plan, file, load, _Report(lines))
    except BaseException as error:  # noqa: BLE001 - the source is let go, whatever happened
        with suppress(DBAPIError):
            _leave(plan, load, finished=False)
        raise _stopped(plan, load, error) from None
    _leave(plan, load, finished=True)
    return load


def _begin(plan: Plan, file: BufferedReader) -> Load:
    if plan.dry:
        return Load(plan.source)
    columns = sorted(plan.reading.columns.items())
    mark = files.fingerprint(file, plan.shape, columns, plan.reading.date_format)
    with transaction():
        return loading.begin(plan.source, mark)


def _run(plan: Plan, file: BufferedReader, load: Load, report: "_Report") -> None:
    whole = plan.path.stat().st_size or 1
    found = entries.batches(file, plan.shape, plan.reading, plan.size, load.position)
    with closing(found), progress(plan.source) as meter:
        meter(load.position)
        for batch in found:
            loading.go_on(load, _do(plan, load, batch, report))
            meter(load.position, file.tell() / whole)


def _do(plan: Plan, load: Load, batch: Batch, report: "_Report") -> Written:
    """Bad lines are told before it is committed that they are done: better twice than never."""
    if plan.dry:
        written = loading.try_out(load, batch)
        report.tell(written.faults)
        return written
    with transaction():
        written = loading.write(load, batch)
        report.tell(written.faults)
    return written


class _Report:
    """Bad lines: all into a file, the first ones on the terminal."""

    def __init__(self, lines: Lines) -> None:
        self._lines, self._told = lines, 0

    def tell(self, faults: list[Fault]) -> None:
        """Let them be known."""
        for fault in faults:
            self._lines.write(asdict(fault))
            self._told += 1
            if self._told <= _SHOWN:
                who = f" (key {printable(fault.key)})" if fault.key else ""
                click.echo(f"line {fault.line}{who}: {printable(fault.why)}", err=True)
            elif self._told == _SHOWN + 1:
                click.echo("… and more: --rejects FILE writes them all.", err=True)
        self._lines.flush()


def _leave(plan: Plan, load: Load, *, finished: bool) -> None:
    if plan.dry:
        return
    with transaction():
        loading.leave(load, finished=finished)
        events.rows_loaded(
            source=load.source, counts=asdict(load.tally), finished=finished, actor=clerk.actor()
        )


def _stopped(plan: Plan, load: Load, error: BaseException) -> BaseException:
    """What is said of an end before the end."""
    again = "" if plan.dry else f" after {load.position} rows: run the same command again to go on"
    if isinstance(error, KeyboardInterrupt):
        return _Stopped(f"Stopped{again}.")
    if isinstance(error, DBAPIError):
        why = (str(error.orig).strip().splitlines() or [type(error.orig).__name__])[0]
        return ConfigurationError(f"database: {why}; stopped{again}")
    return error


def _left_over(load: Load, *, remove: bool, sure: bool) -> int:
    left, whole = loading.left_over(load), copies.count(load.source)
    if not remove:
        return left
    if load.tally.refused:
        raise ConfigurationError(
            f"{load.tally.refused} lines were refused, and whoever is on them must not be removed: "
            "correct them and load again; all others are loaded"
        )
    if 2 * left > whole and not sure:
        raise ConfigurationError(
            f"{left} of {whole} rows would go: is the file whole? If it is, say --yes besides; "
            "what it holds is loaded"
        )
    gone = loading.remove_left_over(load)
    with transaction():
        events.rows_removed(source=load.source, count=gone, why="missing", actor=clerk.actor())
    return 0


def _advise(left: int) -> None:
    if left:
        click.echo(
            f"{left} rows of earlier files are not in this one, and can still come: --remove-missing "
            "deletes them.",
            err=True,
        )
