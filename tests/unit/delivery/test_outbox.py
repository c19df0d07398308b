"""The outbox: nothing lost, nothing sent twice within a lease, nothing readable (DESIGN 6)."""

import threading
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from idp import clock
from idp.delivery import outbox
from idp.delivery.models import OutboxMessage, OutboxStatus
from idp.extensions import db, settings, transaction
from tests.support.messages import code_message
from tests.support.ports import free_port
from tests.support.settings import override

pytestmark = pytest.mark.usefixtures("app")


def leave(to="someone@example.ch", life=timedelta(minutes=10)):
    with transaction():
        outbox.enqueue(
            code_message(to),
            expires_at=clock.now() + life,
            masked="s•••@e•••.ch",
        )


def rows():
    db.session.expire_all()
    return list(db.session.scalars(select(OutboxMessage).order_by(OutboxMessage.id)))


def test_a_message_is_sent_once_and_its_payload_erased(inbox):
    leave()
    assert outbox.deliver_due("w") == 1
    assert outbox.deliver_due("w") == 0
    assert [message.to for message in inbox.messages] == ["someone@example.ch"]
    assert (rows()[0].status, rows()[0].payload) == (OutboxStatus.SENT, None)


def test_neither_code_nor_address_can_be_read_in_the_row():
    leave()
    row = rows()[0]
    readable = " ".join(str(value) for value in vars(row).values())
    assert "123456" not in readable
    assert "someone" not in readable


def test_a_payload_moved_to_another_row_cannot_be_read(inbox):
    leave("first@example.ch")
    leave("second@example.ch")
    first, second = rows()
    with transaction():
        db.session.get(OutboxMessage, second.id).payload = first.payload
    outbox.deliver_due("w")
    assert [message.to for message in inbox.messages] == ["first@example.ch"]
    assert rows()[1].status is OutboxStatus.DEAD


def test_a_dead_server_postpones_with_growing_pauses_and_the_message_arrives_after(app, inbox):
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False) as now:
        leave()
        pauses = []
        with override(app, smtp_port=free_port()):
            for _ in range(4):
                outbox.deliver_due("w")
                pauses.append((rows()[0].due_at - clock.now()).total_seconds())
                now.shift(pauses[-1])
        assert pauses == [1, 2, 4, 8]
        assert outbox.deliver_due("w") == 1
    assert len(inbox.messages) == 1


def test_a_message_that_comes_too_late_is_dropped_and_recorded(app, inbox):
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False) as now:
        leave(life=timedelta(minutes=10))
        with override(app, smtp_port=free_port()):
            outbox.deliver_due("w")
        now.shift(timedelta(minutes=11))
        outbox.deliver_due("w")
    assert inbox.messages == []
    row = rows()[0]
    assert (row.status, row.payload) == (OutboxStatus.EXPIRED, None)
    assert row.last_error == "ConnectionRefusedError"


def test_a_refused_recipient_is_dead_and_seen_by_administrators(inbox):
    inbox.smtp_answer = "550 no such mailbox"
    leave()
    outbox.deliver_due("w")
    row = rows()[0]
    assert (row.status, row.payload, row.last_error) == (OutboxStatus.DEAD, None, "SMTP 550")


def test_a_worker_that_died_loses_nothing_and_its_lease_is_kept_until_it_ends(inbox):
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False) as now:
        leave()
        assert outbox._lease(rows()[0].id, "dead worker")
        assert outbox.deliver_due("other") == 0
        now.shift(settings.outbox_lease)
        assert outbox.deliver_due("other") == 1
    assert len(inbox.messages) == 1


def test_a_message_that_nobody_can_write_holds_up_no_other(inbox):
    leave("first@example.ch")
    with transaction():
        rows()[0].kind = "pigeon"
    leave("second@example.ch")
    assert outbox.deliver_due("w") == 2
    assert [message.to for message in inbox.messages] == ["second@example.ch"]
    dead, sent = rows()
    assert (dead.status, dead.last_error, dead.payload) == (OutboxStatus.DEAD, "KeyError", None)
    assert sent.status is OutboxStatus.SENT


def test_whoever_lost_the_lease_records_nothing(inbox):
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False) as now:
        leave()
        slow = outbox._lease(rows()[0].id, "slow worker")
        now.shift(settings.outbox_lease)
        outbox.deliver_due("other")
        with transaction():
            outbox._finish(slow.id, "slow worker", OutboxStatus.DEAD, "late")
    assert rows()[0].status is OutboxStatus.SENT


def test_workers_that_race_send_each_message_once(app, inbox):
    for number in range(12):
        leave(f"p{number}@example.ch")

    def work(name):
        with app.app_context():
            while outbox.deliver_due(name):
                pass

    threads = [threading.Thread(target=work, args=(f"w{n}",)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(message.to for message in inbox.messages) == sorted(
        f"p{number}@example.ch" for number in range(12)
    )


def test_the_worker_is_woken_by_a_commit_and_not_by_a_rollback():
    outbox.waiting.clear()
    with pytest.raises(ZeroDivisionError):
        _leave_and_fail()
    assert not outbox.waiting.is_set()
    leave()
    assert outbox.waiting.is_set()


def _leave_and_fail():
    with transaction():
        message = code_message()
        outbox.enqueue(message, expires_at=clock.now(), masked="a")
        1 / 0  # noqa: B018 - any bug


def test_rows_are_forgotten_a_week_after_their_end():
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False) as now:
        leave()
        outbox.deliver_due("w")
        now.shift(timedelta(days=6))
        with transaction():
            assert outbox.purge(10) == 0
        now.shift(timedelta(days=2))
        with transaction():
            assert outbox.purge(10) == 1
