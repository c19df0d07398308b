"""`idp clients legacy-map`."""

import csv
import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import rich_click as click

from idp.audit import cases as told
from idp.cli import clerk, private_files
from idp.cli.common import database_only, registered
from idp.errors import ConfigurationError
from idp.extensions import transaction
from idp.migration import campaign, legacy_map
from idp.migration.legacy_map import Entry


@click.command("legacy-map")
@click.argument("client_id")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Into this file, which only you can read; else to standard output.",
)
def write_map(client_id: str, out: Path | None) -> None:
    """Old identifiers and the sub of who holds them, as CSV, for an application that has to find its people
    again. Of the old systems in its registration only (`--legacy-source`), until the day named there."""
    with database_only():
        client = registered(client_id).registration
        sources, until = client.legacy_sources, client.legacy_until
        if not campaign.lasts(until):
            raise ConfigurationError(
                f"{client_id} may not know old identifiers"
                + (f" since {until}" if sources else "")
                + ": see --legacy-source and --legacy-until of `idp clients update`"
            )
        number = legacy_map.count(sources)
        with transaction():
            told.legacy_map_written(client_id=client_id, count=number, actor=clerk.actor())
        with _opened(out) as file:
            writer = csv.writer(file)
            writer.writerow(Entry._fields)
            writer.writerows(legacy_map.entries(client))
    click.echo(f"{number} old identifiers of {', '.join(sources)}.", err=True)


@contextmanager
def _opened(out: Path | None) -> Iterator[TextIO]:
    if out is None:
        # Lines end as in every CSV file (RFC 4180), whatever the terminal makes of them.
        text = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", newline="", write_through=True)
        yield text
        text.detach()
        return
    with private_files.opened(out, append=False) as file:
        yield file
