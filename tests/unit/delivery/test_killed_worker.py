"""A worker process that is killed in the middle of sending loses no message and sends none twice."""

import threading
import time
from datetime import timedelta

import pytest

from idp.delivery.models import OutboxStatus
from tests.support.faults import eventually, faulty, silent, smtp
from tests.support.outbox import leave, seen
from tests.support.server import working

LEASE = timedelta(seconds=7)


@pytest.fixture(params=[b"MAIL", b".\r\n"], ids=["before the mail", "after the mail"])
def stalling(request):
    """A mail server that stalls at this point of every conversation; set when it does."""
    reached = threading.Event()

    def stall(connection):
        reached.set()
        silent(connection)

    with faulty(smtp(until=request.param, then=stall)) as port:
        yield port, reached


def test_what_a_killed_worker_was_sending_arrives_once_when_its_lease_ends(app, inbox, stalling):
    port, reached = stalling
    settings = app.extensions["seuil.settings"]
    options = {
        "smtp_host": "127.0.0.1",
        "outbox_lease": LEASE,
        "smtp_timeout": timedelta(seconds=2),
        "sms_timeout": timedelta(seconds=2),
    }
    leave()
    with working(settings, **options | {"smtp_port": port}) as first:
        assert reached.wait(20)
        first.kill()
        first.wait(timeout=20)
    leased_until = seen()[0].due_at.timestamp()
    assert seen()[0].leased_by is not None
    with working(settings, **options):
        leave("other@example.ch")
        eventually(lambda: [one for one in inbox.messages if one.to == "other@example.ch"], 20)
        assert len(inbox.messages) == 1, "the lease is kept"
        eventually(lambda: len(inbox.messages) == 2, 20)
        assert time.time() >= leased_until
        eventually(lambda: {row.status for row in seen()} == {OutboxStatus.SENT})
    assert sorted(one.to for one in inbox.messages) == ["other@example.ch", "someone@example.ch"]
