"""`idp migration reopen|revert|merge`: what support corrects."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import rich_click as click

from idp.accounts import account as accounts
from idp.accounts.account import Account
from idp.accounts.addresses import email_key
from idp.accounts.profile import Profile
from idp.cli import asking, clerk
from idp.cli.cases import find, holder_of, nothing, what_argument
from idp.cli.common import DASHED, application
from idp.cli.output import printable
from idp.errors import ConfigurationError
from idp.extensions import release, transaction
from idp.flow import corrections
from idp.legacy import registry
from idp.migration import cases, lookup
from idp.migration.invitations import By
from idp.migration.models import MigrationCase


@click.command(context_settings=DASHED)
@what_argument
@asking.reason_option
def reopen(what: str, reason: str) -> None:
    """Let a case begin anew that was disputed or has expired; what was chosen and proven is forgotten."""
    with application():
        case = find(what, "migration reopen")
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
            raise nothing(what, "migration revert", "no old identity that an account holds")
        name, sub = printable(f"{identity.source}:{identity.key}"), holder.sub
        _show("migration revert", _side_of_account(holder))
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
            raise nothing(into, "migration merge", "the address or sub of no account")
        given, (sub, row) = _given(what), (target.sub, target.id)
        name = given.side.name
        _show("migration merge", given.side, _side_of_account(target))
        asking.confirm(f"Give {name} to account {sub}?", yes=yes)
        with transaction():
            merged = given.act(row, By(clerk.actor(), reason))
        if not merged:
            raise ConfigurationError(f"{name} cannot go to {sub}: they are one, or one is blocked")
        click.echo(f"{name}: belongs to {sub}, whose owner signs in again")


class _Side(NamedTuple):
    """Whose something is, enough to compare two people."""

    name: str
    profile: Profile
    email: str

    def __str__(self) -> str:
        """One line: name, person, birth date, masked address; what is unknown is said to be."""
        born = self.profile.birthdate
        called = f"{self.profile.given_name} {self.profile.family_name}".strip()
        known = (
            called or "name unknown",
            f"born {born.isoformat()}" if born else "birth date unknown",
            clerk.masked(self.email) or "address unknown",
        )
        return printable(f"{self.name}: {', '.join(known)}")


class _Given(NamedTuple):
    """What is to be given to an account, and how."""

    side: _Side
    act: Callable[[int, By], bool]


def _given(what: str) -> _Given:
    # The account first: an old system may call somebody by the address of somebody else.
    other = _account(what)
    if other is not None:
        return _Given(_side_of_account(other), partial(corrections.merge, other.id))
    case = lookup.case_of(what)
    if case is None:
        raise nothing(what, "migration merge", "neither a case nor an account")
    _refuse_done(case)
    return _Given(_side_of_case(case), partial(corrections.join, case))


def _show(command: str, *sides: _Side) -> None:
    """Who is meant, before anybody says yes. Seeing them leaves a trace; nothing stays locked."""
    clerk.looked_at(command, len(sides), {"what": " ".join(side.name for side in sides)})
    release()
    for side in sides:
        click.echo(side)


def _side_of_account(account: Account) -> _Side:
    return _Side(account.sub, account.profile, account.email)


def _side_of_case(case: MigrationCase) -> _Side:
    on_record, _phone = cases.on_record(case)
    return _Side(case.reference, Profile.from_json(case.profile), case.email or on_record)


def _back_again(source: str) -> str:
    """What else it takes until the person can come again."""
    kinds = {one.options.name: one.options.type for one in registry.current().sources}
    if kinds.get(source) == "imported":
        return f"its copy was erased: load it again with `idp legacy import {source} FILE`"
    return "where `on_migrated` closed the old door, open it there again"


def _refuse_done(case: MigrationCase) -> None:
    """Raises ConfigurationError for a case that has become an account."""
    holder = holder_of(case)
    if case.completed_at is not None and holder is not None:
        raise ConfigurationError(
            f"{case.reference} is done: account {holder.sub}. `idp users unfreeze` lets its owner in again; "
            "`idp migration revert` gives the old identity back"
        )


def _account(who: str) -> Account | None:
    return accounts.by_email_key(email_key(who)) or accounts.by_sub(who)
