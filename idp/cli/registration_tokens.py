"""`idp clients registration-token` and what goes with it: who may register an application."""

from datetime import timedelta

import rich_click as click

from idp.audit import events
from idp.cli import clerk
from idp.cli.common import database_only
from idp.cli.output import json_option, show_rows
from idp.clients import registration_tokens
from idp.errors import ConfigurationError
from idp.extensions import settings, transaction

_COLUMNS = ("id", "note", "uses_left", "expires_at", "require_pkce", "actor", "created_at")


def _note(_ctx: click.Context, _parameter: click.Parameter, text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise click.BadParameter("write what it is for, on one line.")
    return text.strip()[:100]


@click.command("registration-token")
@click.option("--note", required=True, callback=_note, help="What it is for; kept beside it.")
@click.option("--uses", type=click.IntRange(1, 1000), default=1, show_default=True)
@click.option("--hours", type=click.IntRange(1, 24 * 90), default=24, show_default=True)
@click.option(
    "--require-pkce/--no-require-pkce",
    default=True,
    help="Demand PKCE of all (default), or of those only that cannot prove who they are; "
    "that needs no-pkce in IDP_WEAKER_CLIENTS.",
)
def issue(note: str, uses: int, hours: int, require_pkce: bool) -> None:
    """Make a token with which applications can be registered over HTTP. It is shown once, here."""
    with database_only(), transaction():
        if not require_pkce and "no-pkce" not in settings.weaker_clients:
            raise ConfigurationError("--no-require-pkce needs no-pkce in IDP_WEAKER_CLIENTS")
        actor = clerk.actor()
        row, value = registration_tokens.issue(
            note,
            uses=uses,
            lives=timedelta(hours=hours),
            actor=actor,
            require_pkce=require_pkce,
        )
        events.registration_token_issued(
            number=row.id, note=note, uses=uses, require_pkce=require_pkce, actor=actor
        )
        until, off = f"{row.expires_at:%Y-%m-%d %H:%M} UTC", settings.registration == "off"
    click.echo(value)
    times = "1 registration" if uses == 1 else f"{uses} registrations"
    click.echo(f"Good for {times} until {until}; it is not kept: copy it now.", err=True)
    if off:
        click.echo("Nothing can be registered with it while IDP_REGISTRATION is off.", err=True)


@click.command("registration-tokens")
@json_option
def listing(*, as_json: bool) -> None:
    """Tokens that are not over yet."""
    with database_only():
        rows = [
            {name: getattr(one, name) for name in _COLUMNS} for one in registration_tokens.listing()
        ]
    show_rows(_COLUMNS, rows, as_json=as_json)


@click.command("end-registration-token")
@click.argument("number", type=int)
def end(number: int) -> None:
    """Let nobody register anything with a token any more; what was registered stays."""
    with database_only(), transaction():
        if not registration_tokens.end(number):
            message = f"no token {number}; see `idp clients registration-tokens`"
            raise ConfigurationError(message)
        events.registration_token_ended(number=number, actor=clerk.actor())
    click.echo(f"Token {number} is ended.")


COMMANDS = (issue, listing, end)
