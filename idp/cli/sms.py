"""`idp sms`."""

import re
from dataclasses import asdict, fields

import rich_click as click

from idp.challenges import sms as watched
from idp.challenges.sms import PrefixState
from idp.cli import clerk
from idp.cli.common import database_only
from idp.cli.output import json_option, show_rows
from idp.errors import ConfigurationError
from idp.extensions import transaction


@click.group()
def sms() -> None:
    """Codes by SMS: what became of them, and where none goes."""


@sms.command()
@json_option
def prefixes(*, as_json: bool) -> None:
    """Countries by calling code: messages sent, codes used, the share in percent, since when none goes."""
    with database_only():
        rows = [asdict(state) for state in watched.prefixes()]
    show_rows([field.name for field in fields(PrefixState)], rows, as_json=as_json)


@sms.command()
@click.argument("prefix")
def allow(prefix: str) -> None:
    """Send SMS to a country again, and count anew: idp sms allow +41."""
    code = f"+{prefix.removeprefix('+')}"
    if not re.fullmatch(r"\+[1-9][0-9]{0,3}", code):
        raise click.BadParameter(f"write a calling code like +41, not {prefix!r}.")
    with database_only():
        with transaction():
            lifted = watched.allow(code, clerk.actor())
        if not lifted:
            raise ConfigurationError(f"SMS to {code} is not stopped; see `idp sms prefixes`")
    click.echo(f"SMS to {code} is sent again.")
