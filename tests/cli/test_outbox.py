"""`idp outbox`: what an administrator sees of messages, and what nobody does."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from idp import clock
from idp.cli.common import application
from idp.delivery import outbox
from idp.delivery.models import OutboxMessage, OutboxStatus
from idp.extensions import db, transaction
from tests.cli.conftest import Shell
from tests.support.messages import code_message

STATUSES = [status.value for status in OutboxStatus]


@pytest.fixture
def one_of_each(ready: Shell) -> Shell:
    with application(), transaction():
        for status in OutboxStatus:
            enqueue(f"{status.value}@example.ch", masked=f"{status.value[:1]}•••@e•••.ch")
        db.session.flush()
        for status in OutboxStatus:
            masked = OutboxMessage.recipient == f"{status.value[:1]}•••@e•••.ch"
            values = {"status": status, "last_error": "SMTP 550", "attempts": 2}
            db.session.execute(update(OutboxMessage).where(masked).values(values))
    return ready


def enqueue(address: str, masked: str) -> None:
    outbox.enqueue(
        code_message(address), expires_at=clock.now() + timedelta(hours=1), masked=masked
    )


@pytest.mark.parametrize("status", STATUSES)
def test_messages_of_one_status_are_listed(one_of_each: Shell, status: str) -> None:
    (row,) = one_of_each.json("outbox", "list", "--status", status)
    assert (row["status"], row["channel"]) == (status, "email")
    assert (row["recipient"], row["attempts"]) == (f"{status[:1]}•••@e•••.ch", 2)
    assert row["last_error"] == "SMTP 550"
    assert {"created_at", "due_at", "expires_at", "finished_at"} <= set(row)


def test_all_are_listed_newest_first_and_within_the_limit(one_of_each: Shell) -> None:
    assert [row["status"] for row in one_of_each.json("outbox", "list")] == STATUSES[::-1]
    assert len(one_of_each.json("outbox", "list", "--limit", "1")) == 1


def test_no_payload_is_ever_shown(one_of_each: Shell) -> None:
    with application():
        payloads = [row.payload for row in outbox.listing(None, 10)]
    for text in (one_of_each.ok("outbox", "list"), one_of_each.ok("outbox", "list", "--json")):
        assert "payload" not in text
        assert "example.ch" not in text
        assert not [payload for payload in payloads if payload and payload[:20] in text]


def test_an_unknown_status_is_wrong_usage(ready: Shell) -> None:
    assert "waiting" in ready.refused("outbox", "list", "--status", "lost", code=2)
