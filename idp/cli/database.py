"""`idp db`."""

import rich_click as click

from idp import schema
from idp.cli.common import database_only


@click.group()
def db() -> None:
    """The database schema."""


@db.command()
def upgrade() -> None:
    """Bring the schema up to date; safe to run again."""
    with database_only():
        schema.upgrade()
    click.echo("The schema is up to date.")
