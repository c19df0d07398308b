"""`idp migration list|show`: what support looks up."""

from typing import Any

import rich_click as click

from idp.accounts import account as accounts
from idp.accounts.account import Account
from idp.cli import clerk
from idp.cli.common import DASHED, database_only
from idp.cli.output import json_option, show_record, show_rows
from idp.errors import ConfigurationError
from idp.migration import lookup
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
    """What was chosen in one case, and how far it came; by reference, SOURCE:KEY, old identifier or the address
    that was chosen."""
    with database_only():
        case = find(what, "migration show")
        holder = holder_of(case)
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


def find(what: str, command: str) -> MigrationCase:
    """The case. Raises ConfigurationError, and leaves a trace, where there is none."""
    case = lookup.case_of(what) or lookup.by_address(what)
    if case is None:
        raise nothing(
            what,
            command,
            "the reference, SOURCE:KEY, old identifier or address of no case, or of several; "
            "see `idp migration list`",
        )
    return case


def nothing(what: str, command: str, why: str) -> ConfigurationError:
    """What to raise where nothing is found; looking has left a trace."""
    clerk.looked_at(command, 0, {"what": clerk.masked(what)})
    return ConfigurationError(f"{what} is {why}")


def holder_of(case: MigrationCase) -> Account | None:
    """The account that a case has become."""
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
