"""`idp users`."""

from typing import Any

import rich_click as click

from idp.accounts import account as accounts
from idp.accounts.account import Account
from idp.accounts.addresses import email_key
from idp.cli import clerk
from idp.cli.common import DASHED, database_only
from idp.cli.output import json_option, show_record, show_rows
from idp.errors import ConfigurationError
from idp.legacy import identity as legacy_identities

_COLUMNS = ("sub", "email", "phone", "status", "created_at")
_DETAILS = (
    *("sub", "email", "phone", "status", "locale", "given_name", "family_name", "birthdate"),
    *("street_address", "postal_code", "locality", "country", "epoch", "password_changed_at"),
    *("created_at", "updated_at"),
)


@click.group()
def users() -> None:
    """Accounts."""


@users.command("list")
@click.option("--email", default="", help="Only addresses that contain this.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True)
@json_option
def list_users(email: str, limit: int, *, as_json: bool) -> None:
    """Accounts, newest first."""
    with database_only():
        found = [_values(row, _COLUMNS) for row in accounts.search(email_key(email), limit)]
        clerk.looked_at("users list", len(found), {"email": clerk.masked(email)})
    show_rows(_COLUMNS, found, as_json=as_json)


@users.command(context_settings=DASHED)
@click.argument("who")
@json_option
def show(who: str, *, as_json: bool) -> None:
    """One account, by address or `sub`, with the old identities it holds."""
    with database_only():
        account = accounts.by_email_key(email_key(who)) or accounts.by_sub(who)
        if account is None:
            clerk.looked_at("users show", 0, {"who": clerk.masked(who)})
            message = f"no account has the address or sub {who}; see `idp users list`"
            raise ConfigurationError(message)
        held = legacy_identities.held_by(account.id)
        identities = [f"{identity.source}:{identity.key}" for identity in held]
        record = {**_values(account, _DETAILS), "legacy_identities": identities}
        clerk.looked_at("users show", 1, {}, sub=account.sub)
    show_record(record, as_json=as_json)


def _values(account: Account, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(account, name) for name in names}
