"""`idp db`."""

from dataclasses import asdict

import rich_click as click

from idp import schema
from idp.cli.common import any_schema, database_name, refuse_newer
from idp.cli.output import json_option, show_record


@click.group()
def db() -> None:
    """The database schema."""


@db.command()
def upgrade() -> None:
    """Bring the schema up to date; safe to run again."""
    with any_schema():
        refuse_newer(schema.revisions())
        schema.upgrade()
    click.echo("The schema is up to date.")


@db.command()
@json_option
def current(*, as_json: bool) -> None:
    """The revision of the database, and the one that this version of the program needs."""
    with any_schema():
        found = schema.revisions()
        where = {"where": database_name(), **asdict(found), "current": found.current}
    show_record(where, as_json=as_json)
