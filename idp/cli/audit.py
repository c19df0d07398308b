"""`idp audit`. What it shows is personal data: showing it is an event as well."""

import sys
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import rich_click as click
from sqlalchemy import select

from idp import housekeeping
from idp.accounts.account import Account
from idp.accounts.addresses import email_key
from idp.audit import events, seals, search
from idp.audit.chain import Link
from idp.audit.search import Sought
from idp.audit.verify import Report
from idp.audit.verify import verify as verify_chain
from idp.cli import clerk
from idp.cli.asking import confirm, reason, yes_option
from idp.cli.common import database_only
from idp.cli.output import json_option, show_record, show_rows
from idp.errors import ConfigurationError
from idp.extensions import db, transaction
from idp.security.readable import as_written

_COLUMNS = ("at", "event", "actor", "about")
_ACCOUNTS = ("account", "events", "first", "last")
_FAULTS = ("kind", "seq", "id", "at", "message")


def written_moment(text: str) -> datetime:
    """ISO 8601; without a zone where none is written."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(
            f"write {text!r} like 2026-01-31 or 2026-01-31T14:00+01:00."
        ) from None


def moment(text: str) -> datetime:
    """ISO 8601; UTC unless it says otherwise."""
    read = written_moment(text)
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def head(text: str) -> Link:
    """`SEQ:MAC`, as the worker wrote them."""
    seq, _, mac = text.partition(":")
    if not (seq.isascii() and seq.isdecimal() and len(seq) < 19 and len(mac) == 64):
        raise click.BadParameter("write SEQ:MAC, of a line of type audit_head that a worker wrote.")
    return Link(int(seq), mac.lower())


def _period(command: Any) -> Any:
    since = click.option("--since", type=moment, help="From this moment on (UTC).")
    until = click.option("--until", type=moment, help="Before this moment (UTC).")
    return since(until(command))


@click.group()
def audit() -> None:
    """What happened, and whether the record of it is whole."""


@audit.command("list")
@click.option("--account", "who", default="", help="Of one account: its address or `sub`.")
@click.option("--client", help="Of one relying party: its client id.")
@click.option("--event", help="Of one kind, such as sign_in_failed.")
@click.option(
    "--reference",
    callback=lambda _ctx, _parameter, text: as_written(text) if text else None,
    help="What a page names for support, such as K7Q2-M4XD.",
)
@_period
@click.option("--accounts-only", is_flag=True, help="The accounts that the events are about.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=100, show_default=True)
@json_option
def list_events(
    who: str, *, accounts_only: bool, limit: int, as_json: bool, **filters: Any
) -> None:
    """Events, newest first."""
    with database_only():
        sought = Sought(account=_sub_of(who), **filters)
        happened = search.names() if sought.event else []
        find = search.accounts if accounts_only else search.newest
        found = find(sought, limit + 1)
        rows, more = found[:limit], len(found) > limit
        filters_used = {**asdict(sought), "account": None, "accounts_only": accounts_only}
        clerk.looked_at("audit list", len(rows), filters_used, sub=sought.account)
    if sought.event and sought.event not in happened:
        # A misspelt name must not read as "nothing happened".
        named = ", ".join(happened)
        click.echo(f"No event {sought.event} has ever happened; there were {named}.", err=True)
    if sought.reference and not rows:
        where = "That of an error page is in the log of the server only, as `reference`."
        click.echo(f"No event has this reference. {where}", err=True)
    columns = _ACCOUNTS if accounts_only else _COLUMNS
    show_rows(columns, rows if as_json or accounts_only else _readable(rows), as_json=as_json)
    if more:
        click.echo(f"There are more than {limit}: narrow the search, or raise --limit.", err=True)


@audit.command()
@_period
def export(since: datetime | None, until: datetime | None) -> None:
    """Write events as JSON lines, oldest first, as the worker writes them."""
    sought = Sought(since=since, until=until)
    with database_only(), search.exported(sought) as found:
        clerk.looked_at("audit export", found.count, asdict(sought))
        sys.stdout.writelines(f"{line}\n" for line in found.lines)


@audit.command()
@click.option("--head", "seen", type=head, help="The last SEQ:MAC that a collector has kept.")
@json_option
@click.pass_context
def verify(ctx: click.Context, seen: Link | None, *, as_json: bool) -> None:
    """Find the first event that was altered, removed or forged. Exit code 1 if there is one."""
    with database_only():
        report = verify_chain(housekeeping.audit_key(), seen)
    if as_json:
        show_record(_as_record(report), as_json=True)
    else:
        _say(report, seen)
    if report.faults:
        ctx.exit(1)


@audit.command()
@click.option(
    "--why",
    required=True,
    callback=reason,
    help="What happened, for whoever reads the events later.",
)
@yes_option
def restart(why: str, *, yes: bool) -> None:
    """Begin a new chain where the present one is broken, as after the key-encryption key was replaced.

    Events that were sealed before stay as they are, but can no longer be verified. Run `idp audit
    verify` and keep what it says, and an export, first.
    """
    with database_only():
        faults = [one for one in verify_chain(housekeeping.audit_key()).faults if one.breaks]
    if not faults:
        raise ConfigurationError("the chain is not broken; there is nothing to begin anew")
    said = f"{faults[0].kind.value}: {faults[0].message}"
    confirm(f"Found {said}. Give up what was sealed so far, and begin a new chain?", yes=yes)
    with database_only(), transaction():
        after = seals.restart(housekeeping.audit_key())
        events.audit_restarted(
            after=after, first_fault=faults[0].kind.value, why=why, actor=clerk.actor()
        )
    click.echo(f"A new chain begins after place {after}.")


def _sub_of(who: str) -> str | None:
    """The `sub` that is meant. Raises ConfigurationError for an address that nobody has."""
    if "@" not in who:
        return who or None
    sub = db.session.scalar(select(Account.sub).where(Account.email_key == email_key(who)))
    if sub is None:
        clerk.looked_at("audit list", 0, {"who": clerk.masked(who)})
        raise ConfigurationError(f"no account has the address {who}")
    return sub


def _readable(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """For the width of a terminal: what an event is about in one column, a line for each thing."""
    return [
        {
            "at": datetime.fromisoformat(row["at"]),
            "event": row["event"],
            "actor": row["actor"],
            "about": [f"{name}={value}" for name, value in _about(row).items() if value != ""],
        }
        for row in rows
    ]


def _about(row: dict[str, Any]) -> dict[str, Any]:
    named = {name: row[name] or "" for name in ("account", "client")}
    return {**named, **row["details"]}


def _as_record(report: Report) -> dict[str, Any]:
    return {
        "sound": not report.faults,
        "verified": report.verified,
        "floor": report.floor,
        "former": report.former,
        "head": f"{report.head.seq}:{report.head.mac}",
        "faults": _faults(report),
    }


def _faults(report: Report) -> list[dict[str, Any]]:
    return [
        {**asdict(fault), "kind": fault.kind.value, "message": fault.message}
        for fault in report.faults
    ]


def _say(report: Report, seen: Link | None) -> None:
    if report.faults:
        show_rows(_FAULTS, _faults(report), as_json=False)
    places = f", places {report.floor + 1} to {report.head.seq}" if report.verified else ""
    click.echo(f"{report.verified} events verify{places}.")
    if report.floor:
        click.echo(f"Places up to {report.floor} were purged, or are of a former chain.")
    if report.former:
        click.echo(f"{report.former} events are of that chain: nothing can verify them.")
    if report.verified:
        click.echo(f"The chain is sound up to {report.head.seq}:{report.head.mac}")
    if seen is None and not report.faults:
        click.echo(
            "A tail that was cut shows only against a line of the collector: --head.", err=True
        )
