"""`idp outbox`: messages on their way, for support. No payload is ever shown."""

import re
from datetime import timedelta
from typing import Any

import rich_click as click

from idp import clock
from idp.accounts.addresses import mask_email
from idp.accounts.phones import mask_phone
from idp.audit import events
from idp.cli import clerk
from idp.cli.common import database_only
from idp.cli.output import json_option, show_rows
from idp.delivery import upkeep
from idp.delivery.models import OutboxMessage, OutboxStatus
from idp.delivery.outbox import CHANNELS
from idp.delivery.upkeep import Filter
from idp.extensions import transaction

_STATUS = click.Choice([status.value for status in OutboxStatus])
_COLUMNS = (
    *("id", "channel", "status", "recipient", "attempts", "route", "reference"),
    *("receipt", "last_error", "topic", "created_at", "due_at", "finished_at", "expires_at"),
)

_NOT_AGAIN = (
    "The others were sent, still wait, came too late or do not exist: see `idp outbox list`."
)

_FILTERS = (
    click.option("--channel", type=click.Choice(CHANNELS), help="Only these."),
    click.option(
        "--recipient", help="An address, a number like +41791234567, or a part of a masked one."
    ),
    click.option("--topic", help="Only this one, such as challenge:12."),
    click.option("--hours", type=click.IntRange(min=1), help="Only messages that are no older."),
)


def _filters(command: Any) -> Any:
    for option in reversed(_FILTERS):
        command = option(command)
    return command


@click.group()
def outbox() -> None:
    """Messages on their way, and those that never arrived."""


@outbox.command()
@json_option
def status(*, as_json: bool) -> None:
    """How many messages of each channel wait, went, came too late or were given up."""
    with database_only():
        now = clock.now()
        rows = [
            {
                "channel": heap.channel,
                "status": heap.status,
                "count": heap.count,
                "oldest": heap.oldest,
                "oldest_seconds": int((now - heap.oldest).total_seconds()),
            }
            for heap in upkeep.heaps()
        ]
    columns = ("channel", "status", "count", "oldest", "oldest_seconds")
    show_rows(columns, rows, as_json=as_json)


@outbox.command("list")
@click.option("--status", type=_STATUS, help="Only these.")
@_filters
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True)
@json_option
def list_messages(status: str | None, limit: int, *, as_json: bool, **filters: Any) -> None:
    """Messages, newest first. « bounced » in an error: the recipient's server refused for good."""
    with database_only():
        wanted = _wanted(OutboxStatus(status) if status else None, **filters)
        rows = [_described(row) for row in upkeep.listing(wanted, limit)]
        sought = {
            "status": status,
            **filters,
            "recipient": clerk.masked(filters["recipient"] or ""),
        }
        clerk.looked_at("outbox list", len(rows), sought)
    show_rows(_COLUMNS, rows, as_json=as_json)


@outbox.command()
@click.argument("ids", type=int, nargs=-1)
@click.option(
    "--all", "everything", is_flag=True, help="All that were given up, or those that fit:"
)
@_filters
def retry(ids: tuple[int, ...], *, everything: bool, **filters: Any) -> None:
    """Let messages that were given up wait again, while they are still valid."""
    if bool(ids) == everything:
        raise click.UsageError(
            "Name messages, or say --all: one of the two.", click.get_current_context()
        )
    with database_only(), transaction():
        count = upkeep.retry(ids or _wanted(OutboxStatus.DEAD, **filters))
        events.messages_retried(count=count, actor=clerk.actor())
    click.echo(f"{count} of {len(ids)} wait again." if ids else f"{count} wait again.")
    if count < len(ids):
        click.echo(_NOT_AGAIN, err=True)


def _wanted(
    status: OutboxStatus | None, *, hours: int | None, recipient: str | None, **filters: str | None
) -> Filter:
    since = clock.now() - timedelta(hours=hours) if hours else None
    return Filter(status=status, since=since, recipient=_as_kept(recipient), **filters)


def _as_kept(recipient: str | None) -> str | None:
    """A whole address or number as its masked form; anything else is a part of one already."""
    if not recipient or "•" in recipient:
        return recipient
    if re.fullmatch(r"[^@\s]+@[^@\s]+", recipient):
        return mask_email(recipient)
    return mask_phone(recipient) if re.fullmatch(r"\+[1-9][0-9]{6,14}", recipient) else recipient


def _described(row: OutboxMessage) -> dict[str, Any]:
    """What support may see of a row."""
    values = {name: getattr(row, name) for name in _COLUMNS if name != "channel"}
    return {"id": values.pop("id"), "channel": row.kind, **values}
