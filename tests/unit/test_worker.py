"""The worker: delivers as soon as there is something, outlives failures, stops when asked."""

import threading
import time
from datetime import timedelta

import pytest

from idp import housekeeping, worker
from idp.delivery import outbox
from idp.extensions import db
from idp.worker import Worker
from tests.support.faults import faulty, silent
from tests.support.settings import override
from tests.unit.delivery.test_outbox import leave


def wait_until(condition, seconds=5):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    assert condition()


@pytest.fixture
def inline(app):
    running = worker.start(app)
    yield running
    running.stop()


@pytest.mark.usefixtures("inline")
def test_a_message_leaves_at_once(inbox):
    began = time.monotonic()
    leave()
    wait_until(lambda: inbox.messages)
    assert time.monotonic() - began < 1


def test_a_job_that_fails_does_not_end_the_loop(app):
    def broken():
        raise ArithmeticError("on purpose")

    running = Worker(app)
    running._stopping.set()
    running._jobs[0].run = broken
    done = []
    running._jobs[1].run = lambda: done.append(True)
    running._periodic()
    assert done


def test_it_stops_promptly(inline):
    began = time.monotonic()
    inline.stop()
    assert time.monotonic() - began < 2
    assert not [thread for thread in inline.threads if thread.is_alive()]


def test_a_dead_mail_server_holds_up_no_sms(app, inbox):
    """Each channel has a loop of its own: the SMS is there long before the mail is given up."""
    options = {"smtp_host": "127.0.0.1", "smtp_timeout": timedelta(seconds=3)}
    with faulty(silent) as port, override(app, smtp_port=port, **options):
        running = worker.start(app)
        began = time.monotonic()
        leave()
        leave("+41791234567", channel="sms")
        wait_until(lambda: inbox.messages)
        assert time.monotonic() - began < 2
        running.stop()
    assert [message.channel for message in inbox.messages] == ["sms"]


def test_a_worker_that_is_stopped_ends_after_the_message_it_is_sending(app, inbox):
    options = {"smtp_host": "127.0.0.1", "smtp_timeout": timedelta(seconds=1)}
    reached = threading.Event()

    def stall(connection):
        reached.set()
        silent(connection)

    with faulty(stall) as port, override(app, smtp_port=port, **options):
        for number in range(10):
            leave(f"p{number}@example.ch")
        running = worker.start(app)
        assert reached.wait(5)
        began = time.monotonic()
        running.stop()
        assert time.monotonic() - began < 4
        assert not [thread for thread in running.threads if thread.is_alive()]


@pytest.mark.usefixtures("inline")
def test_messages_left_while_the_loops_are_busy_are_all_found(inbox):
    for number in range(30):
        leave(f"p{number}@example.ch")
    wait_until(lambda: len(inbox.messages) == 30)
    assert len({message.to for message in inbox.messages}) == 30


@pytest.mark.usefixtures("app")
def test_a_job_that_fails_leaves_no_open_transaction_behind(app):
    running = Worker(app)
    running._stopping.set()

    def read_and_fail():
        db.session.scalars(db.select(outbox.OutboxMessage)).all()
        raise ValueError

    assert running._try("deliver", read_and_fail) is None
    assert not db.session().in_transaction()


@pytest.mark.usefixtures("app")
def test_an_empty_house_needs_no_tidying():
    assert set(housekeeping.purge().values()) == {0}
