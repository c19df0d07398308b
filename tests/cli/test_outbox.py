"""`idp outbox`: what support sees of messages, and another try for those that were given up."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select, update

from idp import clock
from idp.audit.models import AuditEvent
from idp.cli.common import application
from idp.delivery import outbox, upkeep
from idp.delivery.models import OutboxMessage, OutboxStatus
from idp.delivery.upkeep import Filter
from idp.extensions import db, transaction
from tests.cli.conftest import Shell
from tests.support.inbox import Inbox
from tests.support.messages import code_message

MASKED = {"email": "j•••@e•••.ch", "sms": "+41 ••• 67"}


def leave(channel: str = "email", *, minutes: int = 10, topic: str | None = None) -> None:
    to = "jeanne@example.ch" if channel == "email" else "+41791234567"
    message = code_message(to, channel)  # type: ignore[arg-type]
    with application(), transaction():
        expires_at = clock.now() + timedelta(minutes=minutes)
        outbox.enqueue(message, expires_at=expires_at, masked=MASKED[channel], topic=topic)


def deliver() -> None:
    with application() as app:
        outbox.deliver_due("w")
        app.extensions["seuil.routes"].close()


@pytest.fixture
def mixed(ready: Shell, inbox: Inbox) -> Shell:
    """One mail sent, one bounced, one SMS that waits for a gateway."""
    inbox.clear()
    ready.set("IDP_SMS_URL", inbox.sms_url)
    leave()
    deliver()
    inbox.smtp_answer = "550 5.1.1 <jeanne@example.ch> unknown"
    inbox.sms_status = 503
    leave(topic="challenge:12")
    leave("sms")
    deliver()
    return ready


def test_status_counts_by_channel_and_status_with_the_age_of_the_oldest(mixed: Shell) -> None:
    with time_machine.travel(clock.now() + timedelta(minutes=2), tick=False):
        rows = mixed.json("outbox", "status")
    assert [(row["channel"], row["status"], row["count"]) for row in rows] == [
        ("email", "dead", 1),
        ("email", "sent", 1),
        ("sms", "waiting", 1),
    ]
    assert all(115 < row["oldest_seconds"] < 180 for row in rows)
    assert "waiting" in mixed.ok("outbox", "status")


def test_list_shows_a_bounce_with_its_code_and_no_payload(mixed: Shell) -> None:
    sms, bounced, sent = mixed.json("outbox", "list")
    assert (bounced["status"], bounced["last_error"]) == ("dead", "smtp: bounced, SMTP 550 5.1.1")
    assert (bounced["recipient"], bounced["topic"]) == (MASKED["email"], "challenge:12")
    assert (sent["status"], sent["route"]) == ("sent", "smtp")
    assert (sms["status"], sms["last_error"]) == ("waiting", "sms: HTTP 503")
    shown = mixed.ok("outbox", "list") + mixed.ok("outbox", "list", "--json")
    for secret in ("123456", "jeanne@", "791234567", "payload", "eyJ"):
        assert secret not in shown


def test_list_can_be_narrowed(mixed: Shell) -> None:
    def ids(*options: str) -> list[int]:
        return [row["id"] for row in mixed.json("outbox", "list", *options)]

    assert ids() == [3, 2, 1]
    assert ids("--status", "dead") == [2]
    assert ids("--channel", "sms") == [3]
    assert ids("--recipient", "j•••") == [2, 1]
    assert ids("--recipient", "%") == []
    assert ids("--topic", "challenge:12") == [2]
    assert ids("--limit", "1") == [3]
    with time_machine.travel(clock.now() + timedelta(hours=2)):
        assert ids("--hours", "1") == []
        assert ids("--hours", "3") == [3, 2, 1]


def test_a_dead_message_can_be_tried_again_while_it_is_valid(mixed: Shell, inbox: Inbox) -> None:
    inbox.clear()
    assert mixed.ok("outbox", "retry", "2") == "1 of 1 wait again.\n"
    deliver()
    assert [one.to for one in inbox.messages if "@" in one.to] == ["jeanne@example.ch"]
    assert mixed.ok("outbox", "retry", "1", "2", "3", "99") == "0 of 4 wait again.\n"
    assert "see `idp outbox list`" in mixed.run("outbox", "retry", "1").stderr


@pytest.mark.parametrize(
    ("recipient", "found"),
    [("jeanne@example.ch", 2), ("+41791234567", 1), ("•••@", 2), ("67", 1), ("max@example.ch", 0)],
)
def test_a_recipient_is_found_by_what_support_was_told(
    mixed: Shell, recipient: str, found: int
) -> None:
    assert len(mixed.json("outbox", "list", "--recipient", recipient)) == found


def test_who_let_messages_wait_again_is_told_in_the_audit(mixed: Shell) -> None:
    mixed.ok("outbox", "retry", "--all")
    mixed.ok("outbox", "list", "--recipient", "jeanne@example.ch")
    with application():
        events = db.session.scalars(select(AuditEvent).order_by(AuditEvent.id)).all()
        retried = next(event for event in events if event.event == "messages_retried")
        assert retried.details["count"] == 1
        assert retried.actor.startswith("os:")
        looked = next(event for event in events if event.event == "looked_at")
        assert "jeanne" not in str(looked.details)


def test_what_came_too_late_or_was_erased_is_not_tried_again(mixed: Shell) -> None:
    with time_machine.travel(clock.now() + timedelta(minutes=11)):
        assert mixed.ok("outbox", "retry", "--all") == "0 wait again.\n"
        assert mixed.json("purge")["outbox_payload"] == 2


def test_all_can_be_narrowed_and_something_must_be_named(mixed: Shell) -> None:
    assert mixed.ok("outbox", "retry", "--all", "--channel", "sms") == "0 wait again.\n"
    assert mixed.ok("outbox", "retry", "--all", "--topic", "challenge:12") == "1 wait again.\n"
    assert "say --all" in mixed.refused("outbox", "retry", code=2)
    assert "say --all" in mixed.refused("outbox", "retry", "--all", "3", code=2)


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
        payloads = [row.payload for row in upkeep.listing(Filter(), 10)]
    for text in (one_of_each.ok("outbox", "list"), one_of_each.ok("outbox", "list", "--json")):
        assert "payload" not in text
        assert "example.ch" not in text
        assert not [payload for payload in payloads if payload and payload[:20] in text]


def test_an_unknown_status_is_wrong_usage(ready: Shell) -> None:
    assert "waiting" in ready.refused("outbox", "list", "--status", "lost", code=2)
