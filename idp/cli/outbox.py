"""`idp outbox`."""

from typing import Any

import rich_click as click

from idp.cli import clerk
from idp.cli.common import database_only
from idp.cli.output import json_option, show_rows
from idp.delivery import outbox as messages
from idp.delivery.models import OutboxMessage, OutboxStatus

_COLUMNS = (
    *("created_at", "channel", "recipient", "status", "attempts", "last_error"),
    *("due_at", "expires_at", "finished_at"),
)


@click.group()
def outbox() -> None:
    """Messages on their way, and what became of them."""


@outbox.command("list")
@click.option(
    "--status", type=click.Choice([one.value for one in OutboxStatus]), help="Only these."
)
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True)
@json_option
def list_messages(status: str | None, limit: int, *, as_json: bool) -> None:
    """Messages of the last week, newest first. Recipients are masked; texts are never shown."""
    with database_only():
        found = messages.listing(OutboxStatus(status) if status else None, limit)
        rows = [_described(message) for message in found]
        clerk.looked_at("outbox list", len(rows), {"status": status})
    show_rows(_COLUMNS, rows, as_json=as_json)


def _described(message: OutboxMessage) -> dict[str, Any]:
    shown = {name: getattr(message, name) for name in _COLUMNS if name != "channel"}
    values = {**shown, "channel": message.kind, "status": message.status.value}
    return {name: values[name] for name in _COLUMNS}
