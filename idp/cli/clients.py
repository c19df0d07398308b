"""`idp clients`."""

from datetime import timedelta
from typing import Any

import rich_click as click

from idp import clock
from idp.audit import events
from idp.cli import clerk
from idp.cli.asking import confirm, yes_option
from idp.cli.common import database_only
from idp.cli.output import json_option, show_record, show_rows
from idp.clients import manage
from idp.clients.client import Client
from idp.clients.manage import NewClient
from idp.clients.rules import SCOPES, InvalidRegistrationError
from idp.extensions import transaction

_METADATA = (
    click.option("--name", "client_name", help="What users see: « Se connecter à NAME »."),
    click.option(
        "--redirect-uri", "redirect_uris", multiple=True, help="Exact callback address; repeatable."
    ),
    click.option(
        "--post-logout-redirect-uri",
        "post_logout_redirect_uris",
        multiple=True,
        help="Where users may go after signing out; repeatable.",
    ),
    click.option("--client-uri", help="Home page of the application."),
    click.option("--initiate-login-uri", help="Address that starts a fresh sign-in."),
    click.option(
        "--grant-type", "grant_types", multiple=True, help="authorization_code, refresh_token."
    ),
    click.option("--scope", help=f"Space-separated, of: {' '.join(SCOPES)}."),
    click.option(
        "--auth-method",
        "token_endpoint_auth_method",
        help="client_secret_basic, client_secret_post, or none for a public client.",
    ),
    click.option("--id-token-alg", "id_token_signed_response_alg", help="RS256 or ES256."),
    click.option("--require-pkce/--no-require-pkce", default=None, help="Demand PKCE (default)."),
    click.option(
        "--default-max-age",
        type=click.IntRange(min=-1),
        help="Seconds after which users sign in again; -1: no such limit.",
    ),
)


def _metadata(command: Any) -> Any:
    for option in reversed(_METADATA):
        command = option(command)
    return command


@click.group()
def clients() -> None:
    """Registered relying parties."""


@clients.command()
@click.option("--id", "client_id", help="Public name; made up when left out.")
@_metadata
@json_option
def create(*, as_json: bool, **options: Any) -> None:
    """Register an application. Its secret is shown once, here."""
    given = _given(options)
    for field, option in (("client_name", "--name"), ("redirect_uris", "--redirect-uri")):
        if field not in given:
            raise click.UsageError(f"Missing option '{option}'.", click.get_current_context())
    with database_only(), transaction():
        client, secret = manage.create(NewClient(**given))
        events.client_created(client_id=client.client_id, actor=clerk.actor())
        record = {**_described(client), "client_secret": secret}
    show_record(record, as_json=as_json)
    if secret and not as_json:
        click.echo("The secret is not kept: copy it now.", err=True)


@clients.command("list")
@json_option
def list_clients(*, as_json: bool) -> None:
    """All registrations."""
    with database_only():
        rows = [_described(client) for client in manage.listing()]
    show_rows(("client_id", "client_name", "redirect_uris", "scope"), rows, as_json=as_json)


@clients.command()
@click.argument("client_id")
@json_option
def show(client_id: str, *, as_json: bool) -> None:
    """One registration, whole."""
    with database_only():
        show_record(_described(_registered(client_id)), as_json=as_json)


@clients.command()
@click.argument("client_id")
@_metadata
def update(client_id: str, **options: Any) -> None:
    """Change what is named; a repeatable option replaces the whole list, and "" empties it."""
    given = _given(options)
    if not given:
        raise click.UsageError("Name something to change.", click.get_current_context())
    with database_only(), transaction():
        _registered(client_id)
        manage.update_client(client_id, given)
        events.client_updated(client_id=client_id, fields=list(given), actor=clerk.actor())
    click.echo(f"Client {client_id} is updated.")


@clients.command("rotate-secret")
@click.argument("client_id")
@click.option(
    "--overlap-hours",
    type=click.IntRange(0, 24 * 90),
    default=24,
    show_default=True,
    help="The former secret works for so long, while the application changes over.",
)
def rotate_secret(client_id: str, overlap_hours: int) -> None:
    """Make a new secret, shown once, here."""
    with database_only(), transaction():
        _registered(client_id)
        secret = manage.rotate_secret(client_id, timedelta(hours=overlap_hours))
        events.client_secret_rotated(
            client_id=client_id, overlap_hours=overlap_hours, actor=clerk.actor()
        )
    click.echo(secret)
    click.echo(f"The former secret works for {overlap_hours} more hours.", err=True)


@clients.command()
@click.argument("client_id")
@yes_option
def delete(client_id: str, *, yes: bool) -> None:
    """Forget an application."""
    with database_only():
        name = _registered(client_id).client_name
    confirm(f"Codes and tokens of {name} die with it. Delete this client?", yes=yes)
    with database_only(), transaction():
        _registered(client_id)
        manage.remove(client_id)
        events.client_deleted(client_id=client_id, actor=clerk.actor())
    click.echo(f"Client {client_id} is deleted.")


def _registered(client_id: str) -> Client:
    client = manage.get(client_id)
    if client is None:
        raise InvalidRegistrationError("client_id", "is not registered; see `idp clients list`")
    return client


def _given(options: dict[str, Any]) -> dict[str, Any]:
    """Options that were typed, as registration metadata."""
    typed = {name: value for name, value in options.items() if value not in (None, ())}
    if typed.get("default_max_age") == -1:
        typed["default_max_age"] = None
    return {name: _without_blanks(value) for name, value in typed.items()}


def _without_blanks(value: Any) -> Any:
    return tuple(one for one in value if one) if isinstance(value, tuple) else value


def _described(client: Client) -> dict[str, Any]:
    """All that may be shown: of the secrets, how many work and until when."""
    values = {name: getattr(client, name) for name in NewClient.__dataclass_fields__}
    ends = [secret.expires_at for secret in client.secrets]
    working = [end for end in ends if end is None or end > clock.now()]
    return {
        **values,
        "secrets": len(working),
        "former_secret_until": max((end for end in working if end), default=None),
        "created_at": client.created_at,
        "updated_at": client.updated_at,
    }
