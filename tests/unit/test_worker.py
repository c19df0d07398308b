"""The worker: delivers as soon as there is something, outlives failures, stops when asked."""

import threading
import time
from datetime import timedelta

import pytest

from idp import housekeeping, worker
from idp.delivery import outbox
from idp.extensions import db
from idp.worker import Worker
from tests.support import old_store
from tests.support.faults import faulty, silent
from tests.support.outbox import leave
from tests.support.settings import override
from tests.unit.migration.test_callbacks import migrate


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


def test_an_old_system_that_hangs_keeps_no_message_waiting(app, inbox, tmp_path):
    url = f"sqlite:///{tmp_path}/old.db"
    old_store.make(url)
    asleep = threading.Event()
    source = old_store.described(url)
    source.tell = lambda _migrated: asleep.wait(10)
    with old_store.sources(app, source):
        migrate("1")
        running = worker.start(app)
        try:
            leave()
            began = time.monotonic()
            wait_until(lambda: inbox.messages)
            assert time.monotonic() - began < 1
        finally:
            asleep.set()
            running.stop()


@pytest.mark.usefixtures("inbox")
def test_an_old_system_is_told_without_being_asked(app, tmp_path):
    url = f"sqlite:///{tmp_path}/old.db"
    old_store.make(url)
    with old_store.sources(app, old_store.described(url)):
        migrate("1")
        running = worker.start(app)
        try:
            wait_until(lambda: old_store.run(url, "SELECT * FROM people WHERE blocked = 1"))
        finally:
            running.stop()


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


def test_a_job_is_done_once_in_its_time(app):
    running, done = Worker(app), []
    running._jobs = [worker._Job("often", 3600, lambda: done.append(True))]
    running._periodic()
    running._periodic()
    assert done == [True]


def test_it_stops_promptly_also_where_it_looks_for_messages_rarely(app):
    with override(app, outbox_poll=timedelta(seconds=20)):
        running = worker.start(app)
        began = time.monotonic()
        running.stop()
    assert time.monotonic() - began < 5


@pytest.mark.usefixtures("inline")
def test_whoever_stops_it_lets_go_of_the_connections(inline, inbox):
    before = set(threading.enumerate())

    def lanes():
        return [t for t in set(threading.enumerate()) - before if t.name.startswith("lane-")]

    leave()
    wait_until(lambda: inbox.messages)
    assert lanes()
    inline.stop()
    assert not lanes()


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
