"""How far a long command is: a bar on a terminal, a line now and then elsewhere. All on stderr."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import rich_click as click
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

_EVERY = 10.0
"""Seconds between two plain lines."""


class Meter(Protocol):
    """Told how many rows were done, and which share of the whole (0 to 1) that is, if that can be told."""

    def __call__(self, rows: int, share: float | None = None) -> None:
        """`rows` in all."""


@contextmanager
def progress(what: str) -> Iterator[Meter]:
    """Show how far `what` is while the block runs."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _Plain(what)
        return
    columns = (
        *(SpinnerColumn(), TextColumn("{task.description}"), BarColumn()),
        *(TextColumn("{task.fields[rows]:,} rows"), _Rate(), TimeRemainingColumn()),
    )
    with Progress(*columns, console=console, transient=True, redirect_stdout=False) as bar:
        task = bar.add_task(what, total=None, rows=0, begun=time.monotonic(), first=None)

        def meter(rows: int, share: float | None = None) -> None:
            first = bar.tasks[0].fields["first"]
            bar.update(task, rows=rows, first=rows if first is None else first)
            if share is not None:
                bar.update(task, total=1.0, completed=share)

        yield meter


class _Rate(ProgressColumn):
    """Rows a second since the bar was first told of any: what was done before a resumption does not count."""

    def render(self, task: Task) -> Text:
        seconds = time.monotonic() - task.fields["begun"]
        rows = task.fields["rows"] - (task.fields["first"] or 0)
        return Text(f"{rows / seconds:,.0f} rows/s" if seconds > 1 else "")


class _Plain:
    """Lines for a log."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._begun = self._told = time.monotonic()
        self._first: int | None = None

    def __call__(self, rows: int, share: float | None = None) -> None:
        """See `Meter`."""
        self._first = rows if self._first is None else self._first
        now = time.monotonic()
        if now - self._told < _EVERY:
            return
        self._told = now
        rate = (rows - self._first) / (now - self._begun)
        how_far = "" if share is None else f", {share:.0%}"
        click.echo(f"{self._what}: {rows} rows{how_far}, {rate:.0f} rows/s", err=True)
