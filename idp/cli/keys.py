"""`idp keys`."""

from typing import Any

import rich_click as click

from idp import clock
from idp.cli.common import database_only
from idp.cli.output import json_option, show_rows
from idp.errors import ConfigurationError
from idp.extensions import settings, transaction
from idp.keys import kek, signing
from idp.keys.models import SigningKey

_ALG = click.Choice(signing.ALGORITHMS)
_COLUMNS = ("kid", "alg", "state", "activate_at", "expire_at", "retire_at")


@click.group()
def keys() -> None:
    """The key-encryption key and the signing keys."""


@keys.command()
@click.option("--alg", type=_ALG, help="One algorithm only; otherwise each that has no key.")
def create(alg: str | None) -> None:
    """Make the key-encryption key if there is none, then signing keys.

    The first key of an algorithm signs at once; a further one after its publication time.
    """
    with database_only():
        if not settings.kek_file.exists():
            kek.create(settings.kek_file)
            click.echo(f"Key-encryption key written to {settings.kek_file}; back it up.")
        with transaction():
            wanted = [alg] if alg else signing.lacking()
            made = [_described(signing.create(one)) for one in wanted]
    for key in made:
        click.echo(f"{key['alg']} key {key['kid']} made: {key['state']}.")
    if not made:
        click.echo("Every algorithm has a key; ask for another with --alg.")


@keys.command("list")
@json_option
def list_keys(*, as_json: bool) -> None:
    """Signing keys, oldest first."""
    with database_only():
        rows = [_described(key) for key in signing.listing()]
    show_rows(_COLUMNS, rows, as_json=as_json)


@keys.command()
@click.option("--alg", type=_ALG, required=True, help="The algorithm whose key is replaced.")
def rotate(alg: str) -> None:
    """Replace the signing key now; the present one stays published until it is retired."""
    with database_only():
        with transaction():
            fresh = _described(signing.rotate(alg))
        click.echo(f"{alg} key {fresh['kid']} signs from {fresh['activate_at']:%H:%M:%S} UTC.")


@keys.command()
@click.argument("kid")
@click.confirmation_option(
    "--yes", prompt="Tokens it signed stop verifying at once. Retire this key?"
)
def retire(kid: str) -> None:
    """Stop publishing a key now, for instance after a leak."""
    with database_only():
        with transaction():
            known = next((key for key in signing.listing() if key.kid == kid), None)
            if known is None or not signing.retire(kid):
                raise ConfigurationError(f"no published key has the kid {kid}; see `idp keys list`")
            signs = any(k.alg == known.alg and _state(k) == "signing" for k in signing.listing())
            alg = known.alg
        click.echo(f"Key {kid} is retired.")
        if not signs:
            click.echo(f"Nothing signs {alg} now: run `idp keys rotate --alg {alg}`.", err=True)


def _described(key: SigningKey) -> dict[str, Any]:
    values = {name: getattr(key, name) for name in _COLUMNS if name != "state"}
    return {**values, "state": _state(key)}


def _state(key: SigningKey) -> str:
    now = clock.now()
    if key.retire_at <= now:
        return "retired"
    if key.expire_at <= now:
        return "published"
    return "signing" if key.activate_at <= now else "announced"
