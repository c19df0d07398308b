"""The worker: delivers as soon as there is something, outlives failures, stops when asked."""

import time

import pytest

from idp import housekeeping, worker
from idp.delivery import outbox
from idp.extensions import db
from idp.worker import Worker
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
