"""`idp db`."""

from dataclasses import asdict

import rich_click as click

from idp import schema
from idp.cli.common import any_schema, database_name
from idp.cli.output import json_option, show_record
from idp.errors import ConfigurationError


@click.group()
def db() -> None:
    """The database schema."""


@db.command()
def upgrade() -> None:
    """Bring the schema up to date; safe to run again."""
    with any_schema():
        found = schema.revisions()
        if found.ahead:
            message = f"the schema ({found.database}) is newer than this version of the program"
            raise ConfigurationError(message)
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
