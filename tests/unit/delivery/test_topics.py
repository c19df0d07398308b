"""Who answers for a message hears, once, that it never left."""

from datetime import timedelta

import pytest
import time_machine

from idp.delivery import outbox, upkeep
from idp.delivery.models import OutboxStatus
from idp.delivery.topics import Owner
from idp.extensions import settings, transaction
from tests.support.outbox import leave, rows

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def told():
    return []


def test_an_sms_code_is_given_up_after_its_rounds_and_its_topic_told_once(app, told, inbox):
    def answer(about):
        told.append(about)
        return True

    inbox.sms_status = 503
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False) as now:
        leave("+41791234567", channel="sms", topic="thing:12")
        outbox.deliver_due("w", "sms", {"thing": Owner(answer)})
        assert told == []
        now.shift(timedelta(seconds=1))
        outbox.deliver_due("w", "sms", {"thing": Owner(answer)})
        now.shift(timedelta(minutes=1))
        assert outbox.deliver_due("w", "sms", {"thing": Owner(answer)}) == 0
    assert told == ["12"]
    assert (rows()[0].status, rows()[0].payload) == (OutboxStatus.DEAD, None)
    assert rows()[0].last_error == "sms: HTTP 503"


def test_what_nothing_replaces_keeps_its_payload_for_another_try(told, inbox):
    inbox.sms_status = 400
    leave("+41791234567", channel="sms", topic="thing:12")
    outbox.deliver_due("w", "sms", {"thing": Owner(lambda about: bool(told.append(about)))})
    row = rows()[0]
    assert (told, row.status, bool(row.payload)) == (["12"], OutboxStatus.DEAD, True)
    inbox.sms_status = 200
    with transaction():
        assert upkeep.retry([row.id]) == 1
    assert (rows()[0].attempts, rows()[0].finished_at) == (0, None)
    assert outbox.deliver_due("w", "sms") == 1
    assert (rows()[0].status, rows()[0].payload) == (OutboxStatus.SENT, None)


def test_burying_a_message_and_telling_its_topic_is_one_transaction(inbox):
    def fails(about):
        raise ArithmeticError("on purpose")

    inbox.sms_status = 400
    leave("+41791234567", channel="sms", topic="thing:12")
    with pytest.raises(ArithmeticError):
        outbox.deliver_due("w", "sms", {"thing": Owner(fails)})
    assert rows()[0].status is OutboxStatus.WAITING, "and comes again after the lease"


def test_an_sms_that_nobody_answers_for_is_tried_as_long_as_it_is_valid(inbox):
    inbox.sms_status = 503
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False) as now:
        leave("+41791234567", channel="sms")
        for _ in range(4):
            outbox.deliver_due("w", "sms", {"thing": Owner(bool)})
            now.shift(timedelta(minutes=1))
        inbox.sms_status = 200
        outbox.deliver_due("w", "sms")
    assert len(inbox.messages) == 1


def test_whoever_lost_the_lease_to_one_that_still_sends_records_nothing_and_tells_nobody(inbox):
    told = []
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False) as now:
        leave("+41791234567", channel="sms", topic="thing:12")
        slow = outbox._lease(rows()[0].id, "slow worker", {})
        now.shift(settings.outbox_lease)
        assert outbox._lease(rows()[0].id, "other", {})
        inbox.sms_status = 400
        outbox._deliver(slow, "slow worker", {"thing": Owner(told.append)})
        outbox._postpone(slow, "slow worker", "late")
    row = rows()[0]
    assert (row.status, row.leased_by, row.last_error) == (OutboxStatus.WAITING, "other", None)
    assert told == []


def test_a_mail_is_tried_as_long_as_it_is_valid_whoever_answers(app, told, inbox):
    inbox.smtp_answer = "451 later"
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False) as now:
        leave(topic="thing:12")
        for _ in range(4):
            outbox.deliver_due(
                "w", "email", {"thing": Owner(lambda about: bool(told.append(about)))}
            )
            now.shift(timedelta(minutes=1))
    assert (told, rows()[0].status, rows()[0].attempts) == ([], OutboxStatus.WAITING, 4)


def test_what_is_not_wanted_any_more_when_the_gateway_returns_is_not_sent(told, inbox):
    """It is recorded as any other that came too late."""
    wanted = [True, False]
    owner = Owner(lambda about: bool(told.append(about)), lambda _about: wanted.pop(0))
    inbox.smtp_answer = "451 later"
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False) as now:
        leave(topic="thing:12")
        outbox.deliver_due("w", "email", {"thing": owner})
        now.shift(timedelta(minutes=1))
        inbox.smtp_answer = "250 OK"
        outbox.deliver_due("w", "email", {"thing": owner})
    assert (rows()[0].status, rows()[0].payload) == (OutboxStatus.EXPIRED, None)
    assert (inbox.messages, told) == ([], ["12"])
