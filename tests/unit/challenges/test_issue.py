"""How many messages one destination gets, whoever asks (DESIGN 6)."""

import itertools
from datetime import timedelta

import pytest
import time_machine

from idp.challenges.challenge import Channel, Purpose
from idp.challenges.results import SendProblem, SendRefused, Sent
from idp.extensions import settings
from tests.support.accounts import make_account
from tests.support.proofs import ask_code
from tests.support.settings import override

QUARTER = timedelta(minutes=15)
PHONE = "+41791234567"


@pytest.fixture
def now():
    with time_machine.travel("2026-01-01T00:00:00Z", tick=False) as clock:
        yield clock


@pytest.fixture
def account(app, now) -> int:
    return make_account()


_interactions = itertools.count()


def ask(account, **changes):
    """Ask from a page that has asked for nothing yet: each has to wait between two messages."""
    return ask_code(account, **{"interaction_id": f"interaction {next(_interactions)}", **changes})


def send(account, times, **changes):
    return [ask(account, **changes) for _ in range(times)]


def test_a_page_waits_between_two_messages_to_one_destination(account, now):
    assert isinstance(ask_code(account), Sent)
    assert ask_code(account) == SendRefused(SendProblem.TOO_SOON, settings.resend_after)
    assert isinstance(ask_code(account, channel=Channel.SMS, destination=PHONE), Sent)
    now.shift(settings.resend_after)
    assert isinstance(ask_code(account), Sent)


def test_five_messages_go_in_a_quarter_of_an_hour(account, now):
    assert all(isinstance(one, Sent) for one in send(account, settings.send_limit_short))
    assert ask(account) == SendRefused(SendProblem.BUDGET, QUARTER)
    now.shift(QUARTER)
    assert isinstance(ask(account), Sent)


def test_twenty_messages_go_in_a_day_however_slowly(account, now):
    sent = []
    for _ in range(settings.send_limit_day // settings.send_limit_short):
        sent += send(account, settings.send_limit_short)
        now.shift(QUARTER)
    assert len(sent) == settings.send_limit_day
    assert all(isinstance(one, Sent) for one in sent)
    assert ask(account) == SendRefused(SendProblem.BUDGET, timedelta(hours=23))
    now.shift(timedelta(hours=23))
    assert isinstance(ask(account), Sent)


def test_the_budget_is_the_destinations_whoever_asks(account):
    other = make_account("other@example.ch")
    send(account, settings.send_limit_short)
    assert isinstance(ask(other), SendRefused)
    elsewhere = {"channel": Channel.SMS, "destination": PHONE}
    assert isinstance(ask(account, **elsewhere), Sent)


def test_a_network_enrols_so_many_destinations_in_a_day_however_slowly(app, account, now):
    def wish(number):
        new = {"purpose": Purpose.EMAIL_ENROLMENT, "case_id": number}
        return ask(None, **new, destination=f"p{number}@example.ch", network="192.0.2.0/24")

    with override(app, send_limit_network_day=3):
        for number in range(3):
            assert isinstance(wish(number), Sent)
            now.shift(timedelta(hours=1))
        assert wish(3) == SendRefused(SendProblem.BUDGET, timedelta(hours=21))


def test_every_spelling_of_an_address_is_one_destination(account):
    send(account, settings.send_limit_short)
    assert isinstance(ask(account, destination="JEANNE@Example.CH"), SendRefused)


def test_who_only_claims_a_destination_cannot_use_up_its_owners_budget(account):
    claim = {"purpose": Purpose.EMAIL_ENROLMENT, "epoch": None, "case_id": 1}
    assert isinstance(send(None, settings.send_limit_short + 1, **claim)[-1], SendRefused)
    assert isinstance(ask(account), Sent)
