"""`idp keys`."""

from datetime import timedelta
from typing import Any

import rich_click as click

from idp import clock
from idp.audit import keys as told
from idp.cli import clerk
from idp.cli.asking import confirm, reason_option, yes_option
from idp.cli.common import DASHED, database_only
from idp.cli.output import json_option, show_rows
from idp.cli.rewrap import rewrap
from idp.clients import manage
from idp.errors import ConfigurationError
from idp.extensions import settings, transaction
from idp.keys import kek, signing
from idp.keys.models import SigningKey

_ALG = click.Choice(signing.ALGORITHMS)
_COLUMNS = ("kid", "alg", "state", "activate_at", "expire_at", "retire_at")


@click.group()
def keys() -> None:
    """The key-encryption key and the signing keys."""


keys.add_command(rewrap)


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
    """Replace the signing keys without a failed verification; the present ones stay published.

    The new ones sign once nobody's cache lacks them, after five minutes; until then there are no others. After
    a leak use `revoke`.
    """
    with database_only():
        algs = [alg] if alg else signing.in_use()
        soon = [key for key in map(_described, signing.listing()) if _signs_soon(key)]
        pairs = [signing.new_pair(one) for one in algs if one not in {key["alg"] for key in soon}]
        with transaction():
            made = [_described(signing.rotate(pair)) for pair in pairs]
            for key in made:
                told.signing_key_rotated(kid=key["kid"], actor=clerk.actor())
    for key in made:
        click.echo(f"{key['alg']} key {key['kid']} signs from {key['activate_at']:%H:%M:%S} UTC.")
    for key in (one for one in soon if one["alg"] in algs):
        when = f"{key['activate_at']:%H:%M:%S} UTC"
        click.echo(
            f"{key['alg']} key {key['kid']} is made already, and signs from {when}.", err=True
        )


@keys.command(context_settings=DASHED)
@click.argument("kid")
@yes_option
def retire(kid: str, *, yes: bool) -> None:
    """Stop publishing a key that signs no more, before its time. After a leak use `revoke`."""
    with database_only():
        _published(kid)
    confirm("Tokens it signed stop verifying at once. Retire this key?", yes=yes)
    with database_only(), transaction():
        alg = _published(kid).alg
        signing.retire(kid)
        told.signing_key_retired(kid=kid, actor=clerk.actor())
        signs = any(key.alg == alg and _state(key) == "signing" for key in signing.listing())
    click.echo(f"Key {kid} is retired.")
    if not signs:
        click.echo(f"Nothing signs {alg} now: run `idp keys rotate --alg {alg}`.", err=True)


@keys.command(context_settings=DASHED)
@click.argument("kid")
@reason_option
@yes_option
def revoke(kid: str, *, reason: str, yes: bool) -> None:
    """Take a key away that may be in wrong hands; another signs at once. Says what else is to be done."""
    with database_only():
        alg = _known(kid).alg
        pair = signing.new_pair(alg)
    confirm("Whatever it signed stops verifying at once. Revoke this key?", yes=yes)
    with database_only(), transaction():
        since = _known(kid).created_at
        other = signing.revoke(kid, pair)
        told.signing_key_revoked(kid=kid, successor=other or "", why=reason, actor=clerk.actor())
        parties = _believing(alg)
    click.echo(f"Key {kid} is revoked: in 2 seconds no process publishes it or signs with it.")
    click.echo(f"{alg} key {other} signs now." if other else f"The {alg} key that signs stays.")
    click.echo(_AFTER_REVOKING.format(minutes=signing.CACHED // timedelta(minutes=1), since=since))
    show_rows(("client_id", "client_name"), parties, as_json=False)


_AFTER_REVOKING = """
By itself: ID tokens under way no longer verify, so those people sign in again; older ones are no hints any
more. Access tokens that are JWTs are refused where they are shown: clients fetch or refresh others. Sessions,
codes, and tokens that are looked up here are no signatures: nothing has to be ended here.

By you: caches hold the key for up to {minutes} minutes, whoever has rules of their own for longer. Have them
fetch our keys again. If somebody has the key, they could sign in or call as anybody at the relying parties and
resource servers below, without us, since {since:%Y-%m-%d %H:%M} UTC: have these end all of their own sessions.
"""


def _believing(alg: str) -> list[dict[str, Any]]:
    """Relying parties and resource servers that take what is signed with this algorithm."""
    return [
        {"client_id": client.client_id, "client_name": client.registration.client_name}
        for client in manage.listing()
        if alg
        in {
            client.registration.id_token_signed_response_alg,
            client.registration.userinfo_signed_response_alg,
        }
    ]


def _note_made(made: list[dict[str, Any]], *, first: bool) -> None:
    if first:
        told.key_encryption_key_created(actor=clerk.actor())
    for key in made:
        told.signing_key_created(kid=key["kid"], actor=clerk.actor())


def _published(kid: str) -> SigningKey:
    for key in signing.listing():
        if key.kid == kid and _state(key) != "retired":
            return key
    raise ConfigurationError(f"no published key has the kid {kid}; see `idp keys list`")


def _known(kid: str) -> SigningKey:
    """Also one that time has retired: hints that it signed are still believed."""
    for key in signing.listing():
        if key.kid == kid and key.known_until > clock.now():
            return key
    raise ConfigurationError(f"no key that is believed has the kid {kid}; see `idp keys list`")


def _signs_soon(key: dict[str, Any]) -> bool:
    """No later than one that would be made now."""
    announced = key["state"] == "announced"
    return announced and bool(key["activate_at"] <= clock.now() + signing.KNOWN)


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
