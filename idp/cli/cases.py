"""`idp migration list|show|reopen|revert|merge`: what support looks up and corrects."""

from collections.abc import Callable
from functools import partial
from typing import Any

import rich_click as click

from idp.accounts import account as accounts
from idp.accounts.account import Account
from idp.accounts.addresses import email_key
from idp.cli import asking, clerk
from idp.cli.common import DASHED, application, database_only
from idp.cli.output import json_option, show_record, show_rows
from idp.errors import ConfigurationError
from idp.extensions import release, transaction
from idp.flow import corrections
from idp.legacy import registry
from idp.migration import lookup
from idp.migration.invitations import By
from idp.migration.lookup import State
from idp.migration.models import MigrationCase

_COLUMNS = (
    *("reference", "state", "reached", "source", "key", "identifier", "email"),
    *("updated_at", "expires_at"),
)
_CHOICES = ("email", "phone", "phone_refused_at", "group_name")
_MOMENTS = (
    *("created_at", "code_sent_at", "mailbox_proven_at", "confirmed_at", "phone_settled_at"),
    *("conflict_at", "disputed_at", "completed_at", "updated_at", "expires_at"),
)
_REACHED = {
    "done": "completed_at",
    "phone": "phone_settled_at",
    "confirmed": "confirmed_at",
    "address proven": "mailbox_proven_at",
    "code sent": "code_sent_at",
}
what_argument = click.argument("what")


@click.command("list")
@click.option("--state", type=click.Choice([state.value for state in State]), help="Only these.")
@click.option("--source", help="Of this old system only.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True)
@json_option
def list_cases(state: str | None, source: str | None, limit: int, *, as_json: bool) -> None:
    """Cases, the last changed first: open, in conflict with an account, disputed, expired, done."""
    with database_only():
        rows = lookup.search(State(state) if state else None, source, limit)
        found = [_row(case) for case in rows]
        clerk.looked_at("migration list", len(found), {"state": state, "source": source})
    show_rows(_COLUMNS, found, as_json=as_json)


@click.command("show", context_settings=DASHED)
@what_argument
@json_option
def show_case(what: str, *, as_json: bool) -> None:
    """What was chosen in one case, and how far it came; by reference, SOURCE:KEY or old identifier."""
    with database_only():
        case = _case(what, "migration show")
        holder = _holder(case)
        record = {
            **{
                name: _row(case)[name]
                for name in ("reference", "state", "source", "key", "identifier")
            },
            "account": holder.sub if holder else None,
            **{name: getattr(case, name) for name in (*_CHOICES, *_MOMENTS)},
        }
        clerk.looked_at("migration show", 1, {"reference": case.reference})
    show_record(record, as_json=as_json)


@click.command(context_settings=DASHED)
@what_argument
@asking.reason_option
def reopen(what: str, reason: str) -> None:
    """Let a case begin anew that was disputed or has expired; what was chosen and proven is forgotten."""
    with application():
        case = _case(what, "migration reopen")
        with transaction():
            reopened = corrections.reopen(case, By(clerk.actor(), reason))
        if not reopened:
            _refuse_done(case)
            raise ConfigurationError(f"{case.reference} is open: its owner can go on")
        click.echo(f"{case.reference}: open; its owner begins with the old identifier and password")


@click.command(context_settings=DASHED)
@what_argument
@asking.reason_option
@asking.yes_option
def revert(what: str, reason: str, *, yes: bool) -> None:
    """Undo a migration, by reference, SOURCE:KEY or old identifier. The old identity is free to migrate again.
    An account that holds no other is closed, its address is free, and its sub is never used again."""
    with application():
        identity = lookup.identity_of(what)
        holder = accounts.by_id(identity.account_id) if identity and identity.account_id else None
        if identity is None or holder is None:
            raise _nothing(what, "migration revert", "no old identity that an account holds")
        name, sub = f"{identity.source}:{identity.key}", holder.sub
        release()
        asking.confirm(f"Take {name} from account {sub}?", yes=yes)
        with transaction():
            reverted = corrections.revert(identity, By(clerk.actor(), reason))
        if reverted is None:
            raise ConfigurationError(f"{name} was given back meanwhile")
        after = "is closed" if reverted.closed else "keeps its other old identities"
        click.echo(f"{name}: nobody's; account {reverted.sub} {after}")
        click.echo(_back_again(identity.source))


@click.command(context_settings=DASHED)
@what_argument
@click.argument("into")
@asking.reason_option
@asking.yes_option
def merge(what: str, into: str, reason: str, *, yes: bool) -> None:
    """Give the account INTO (address or sub) what WHAT stands for: a case that is not done (reference or
    SOURCE:KEY), or all that another account (address or sub) holds, which is closed. Make sure first that both
    are the same person's."""
    with application():
        target = _account(into)
        if target is None:
            raise _nothing(into, "migration merge", "the address or sub of no account")
        name, act = _given(what)
        sub, row = target.sub, target.id
        release()
        asking.confirm(f"Give {name} to account {sub}?", yes=yes)
        with transaction():
            merged = act(row, By(clerk.actor(), reason))
        if not merged:
            raise ConfigurationError(f"{name} cannot go to {sub}: they are one, or one is blocked")
        click.echo(f"{name}: belongs to {sub}, whose owner signs in again")


def _given(what: str) -> tuple[str, Callable[[int, By], bool]]:
    """What is to be given to an account: its name, and how."""
    case, other = lookup.case_of(what), _account(what)
    if case is not None:
        _refuse_done(case)
        return case.reference, partial(corrections.join, case)
    if other is None:
        raise _nothing(what, "migration merge", "neither a case nor an account")
    return other.sub, partial(corrections.merge, other.id)


def _back_again(source: str) -> str:
    """What else it takes until the person can come again."""
    kinds = {one.options.name: one.options.type for one in registry.current().sources}
    if kinds.get(source) == "imported":
        return f"its copy was erased: load it again with `idp legacy import {source} FILE`"
    return "where `on_migrated` closed the old door, open it there again"


def _case(what: str, command: str) -> MigrationCase:
    """The case; who looks for one that is not there leaves a trace."""
    case = lookup.case_of(what)
    if case is None:
        raise _nothing(
            what,
            command,
            "the reference, SOURCE:KEY or old identifier of no case; see `idp migration list`",
        )
    return case


def _refuse_done(case: MigrationCase) -> None:
    """Raises ConfigurationError for a case that has become an account."""
    holder = _holder(case)
    if case.completed_at is not None and holder is not None:
        raise ConfigurationError(
            f"{case.reference} is done: account {holder.sub}. `idp users unfreeze` lets its owner in again; "
            "`idp migration revert` gives the old identity back"
        )


def _nothing(what: str, command: str, why: str) -> ConfigurationError:
    clerk.looked_at(command, 0, {"what": clerk.masked(what)})
    return ConfigurationError(f"{what} is {why}")


def _account(who: str) -> Account | None:
    return accounts.by_email_key(email_key(who)) or accounts.by_sub(who)


def _holder(case: MigrationCase) -> Account | None:
    row = case.identity.account_id
    return accounts.by_id(row) if row is not None else None


def _row(case: MigrationCase) -> dict[str, Any]:
    reached = (word for word, name in _REACHED.items() if getattr(case, name) is not None)
    return {
        "reference": case.reference,
        "state": lookup.state(case).value,
        "reached": next(reached, "started"),
        "source": case.identity.source,
        "key": case.identity.key,
        "identifier": case.identity.identifier,
        **{name: getattr(case, name) for name in ("email", "updated_at", "expires_at")},
    }
