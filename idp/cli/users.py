"""`idp users`."""

from collections.abc import Callable
from typing import Any

import rich_click as click

from idp.accounts import account as accounts
from idp.accounts.account import Account
from idp.accounts.addresses import email_key, parse_email
from idp.cli import asking, clerk
from idp.cli.common import DASHED, application, database_only
from idp.cli.migration import show as show_code
from idp.cli.output import json_option, show_record, show_rows
from idp.errors import ConfigurationError
from idp.extensions import transaction
from idp.flow import support
from idp.legacy import identity as legacy_identities
from idp.migration import invitations
from idp.migration.invitations import By, Taken

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
        account = _named(who, "users show")
        held = legacy_identities.held_by(account.id)
        identities = [f"{identity.source}:{identity.key}" for identity in held]
        record = {**_values(account, _DETAILS), "legacy_identities": identities}
        clerk.looked_at("users show", 1, {}, sub=account.sub)
    show_record(record, as_json=as_json)


@users.command(context_settings=DASHED)
@click.argument("who")
@asking.reason_option
def freeze(who: str, reason: str) -> None:
    """Let nobody in to an account, by address or `sub`, and end all its sessions. Its owner is told."""
    _act(who, reason, support.freeze, done="frozen", idle="is frozen already")


@users.command(context_settings=DASHED)
@click.argument("who")
@asking.reason_option
def unfreeze(who: str, reason: str) -> None:
    """Let the person in again. Its owner is told."""
    _act(who, reason, support.unfreeze, done="active", idle="is not frozen")


@users.command(context_settings=DASHED)
@click.argument("who")
@asking.reason_option
def end_sessions(who: str, reason: str) -> None:
    """End every session, code and token of an account; its owner signs in again."""
    _act(who, reason, support.end_sessions, done="signed out everywhere", idle="changed meanwhile")


@users.command(context_settings=DASHED)
@click.argument("email")
@asking.reason_option
def invite(email: str, reason: str) -> None:
    """A code for a newcomer whom no old system knows: their account will have this address."""
    with application():
        address = parse_email(email)
        if address is None:
            raise ConfigurationError(f"{email} is no address")
        with transaction():
            issued = invitations.invite_newcomer(address, By(clerk.actor(), reason))
        if isinstance(issued, Taken):
            raise ConfigurationError(f"{email} is the address of account {issued.sub}")
        show_code(address.address, issued)


@users.command(context_settings=DASHED)
@click.argument("who")
@click.option("--without-phone", is_flag=True, help="The phone is lost too: it is removed.")
@asking.reason_option
def recover(who: str, reason: str, *, without_phone: bool) -> None:
    """A code for the owner of an account, by address or `sub`, who lost the mailbox: with it, and with a code
    by SMS where a phone is on record, they prove another one. Make sure first of who asks for it. Its owner
    is told, now and in the end."""
    with application():
        account = _living(who, "users recover")
        sub, row = account.sub, account.id
        with transaction():
            issued = support.invite_back(
                row, actor=clerk.actor(), why=reason, without_phone=without_phone
            )
        if issued is None:
            raise ConfigurationError(f"{sub} is frozen: unfreeze it first")
        show_code(sub, issued)


def _act(who: str, reason: str, action: Callable[..., bool], *, done: str, idle: str) -> None:
    """Do it, in one transaction, in the name of whoever runs the command."""
    with application():
        account = _living(who, f"users {action.__name__}")
        sub, row = account.sub, account.id
        with transaction():
            acted = action(row, actor=clerk.actor(), why=reason)
        if not acted:
            raise ConfigurationError(f"{sub} {idle}")
        click.echo(f"{sub}: {done}")


def _named(who: str, what: str) -> Account:
    """The account; who looks for one that is not there leaves a trace of `what` they did."""
    account = accounts.by_email_key(email_key(who)) or accounts.by_sub(who)
    if account is None:
        clerk.looked_at(what, 0, {"who": clerk.masked(who)})
        raise ConfigurationError(f"no account has the address or sub {who}; see `idp users list`")
    return account


def _living(who: str, what: str) -> Account:
    account = _named(who, what)
    if account.closed:
        raise ConfigurationError(
            f"{account.sub} is closed for good: a migration was undone or merged"
        )
    return account


def _values(account: Account, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(account, name) for name in names}
