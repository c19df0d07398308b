"""`idp keys`."""

from typing import Any

import rich_click as click

from idp import clock
from idp.audit import events
from idp.cli import clerk
from idp.cli.asking import confirm, yes_option
from idp.cli.common import DASHED, database_only
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
@click.option(
    "--alg", type=_ALG, help="One algorithm only; otherwise each usual one that has no key."
)
def create(alg: str | None) -> None:
    """Make the key-encryption key if there is none, then signing keys.

    The first key of an algorithm signs at once; a further one after its publication time.
    """
    with database_only():
        first = not settings.kek_file.exists()
        if first:
            kek.create(settings.kek_file)
            click.echo(f"Key-encryption key written to {settings.kek_file}; back it up.")
        pairs = [signing.new_pair(one) for one in ([alg] if alg else signing.lacking())]
        with transaction():
            made = [_described(signing.create(pair)) for pair in pairs]
            _note_made(made, first=first)
    for key in made:
        click.echo(f"{key['alg']} key {key['kid']} made: {key['state']}.")
    if not made:
        click.echo("Every usual algorithm has a key; ask for another with --alg.")


@keys.command("list")
@json_option
def list_keys(*, as_json: bool) -> None:
    """Signing keys, oldest first."""
    with database_only():
        rows = [_described(key) for key in signing.listing()]
    show_rows(_COLUMNS, rows, as_json=as_json)


@keys.command()
@click.option("--alg", type=_ALG, help="One algorithm only; otherwise all.")
def rotate(alg: str | None) -> None:
    """Replace the signing keys now; the present ones stay published until they are retired."""
    with database_only():
        pairs = [signing.new_pair(one) for one in ([alg] if alg else signing.in_use())]
        with transaction():
            made = [_described(signing.rotate(pair)) for pair in pairs]
            for key in made:
                events.signing_key_rotated(kid=key["kid"], actor=clerk.actor())
    for key in made:
        click.echo(f"{key['alg']} key {key['kid']} signs from {key['activate_at']:%H:%M:%S} UTC.")


@keys.command(context_settings=DASHED)
@click.argument("kid")
@yes_option
def retire(kid: str, *, yes: bool) -> None:
    """Stop publishing a key now, for instance after a leak."""
    with database_only():
        _published(kid)
    confirm("Tokens it signed stop verifying at once. Retire this key?", yes=yes)
    with database_only(), transaction():
        alg = _published(kid).alg
        signing.retire(kid)
        events.signing_key_retired(kid=kid, actor=clerk.actor())
        signs = any(key.alg == alg and _state(key) == "signing" for key in signing.listing())
    click.echo(f"Key {kid} is retired.")
    if not signs:
        click.echo(f"Nothing signs {alg} now: run `idp keys rotate --alg {alg}`.", err=True)


def _note_made(made: list[dict[str, Any]], *, first: bool) -> None:
    if first:
        events.key_encryption_key_created(actor=clerk.actor())
    for key in made:
        events.signing_key_created(kid=key["kid"], actor=clerk.actor())


def _published(kid: str) -> SigningKey:
    for key in signing.listing():
        if key.kid == kid and _state(key) != "retired":
            return key
    raise ConfigurationError(f"no published key has the kid {kid}; see `idp keys list`")


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
