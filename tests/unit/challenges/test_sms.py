"""A country whose codes are not used gets no more of them (SMS pumping)."""

from datetime import timedelta

import pytest
import time_machine

from idp.audit.models import AuditEvent
from idp.challenges import issue, sms, verify
from idp.challenges.challenge import Challenge, Channel, Purpose
from idp.challenges.results import SendProblem, SendRefused, Sent
from idp.challenges.sms import SmsConversion, SmsStop
from idp.extensions import db, settings, transaction
from tests.support.accounts import make_account
from tests.support.proofs import ask_code
from tests.support.settings import override
from tests.support.together import together

SWISS, FRENCH = "+4179123{:04}", "+3361234{:04}"


@pytest.fixture
def now():
    with time_machine.travel("2026-01-01T12:34:56Z", tick=False) as clock:
        yield clock


@pytest.fixture
def account(app, now):
    limits = {"send_limit_day": 1000, "send_limit_short": 1000}
    with override(app, sms_watch_least=10, sms_watch_people=1, **limits):
        yield make_account()


def send(account, number, interaction, **changes):
    values = {"channel": Channel.SMS, "destination": number, "interaction_id": interaction}
    return ask_code(account, **(values | changes))


def burst(account, times, numbers=SWISS, name="burst", **changes):
    """Messages to so many numbers; what became of each wish."""
    return [send(account, numbers.format(n), f"{name} {n}", **changes) for n in range(times)]


def use(account, times, numbers=SWISS):
    """Sent, and the code comes back."""
    for n in range(times):
        assert isinstance(send(account, numbers.format(n), f"used {n}"), Sent)
        with transaction():
            tried = verify.reserve_try(f"used {n}", "a browser", Purpose.SECOND_FACTOR)
        with transaction():
            verify.accept(tried)


def refused(outcome):
    return isinstance(outcome, SendRefused) and outcome.problem is SendProblem.NO_SMS


def rows():
    return {(row.prefix, row.sent, row.used) for row in db.session.query(SmsConversion)}


def test_what_is_sent_and_used_is_counted_by_country_and_hour(account, now):
    use(account, 2)
    burst(account, 3, FRENCH)
    assert rows() == {("+41", 2, 2), ("+33", 3, 0)}
    now.shift(timedelta(minutes=30))
    use(account, 1)
    assert rows() == {("+41", 2, 2), ("+41", 1, 1), ("+33", 3, 0)}


def test_mail_is_not_counted(account):
    assert isinstance(ask_code(account), Sent)
    assert rows() == set()


def test_one_person_alone_stops_no_country_for_all_others(app, account, now):
    others = [make_account(f"autre{number}@example.ch") for number in range(2)]
    with override(app, sms_watch_people=3):
        burst(account, 20)
        burst(others[0], 2, name="another")
        now.shift(settings.code_lifetime)
        assert isinstance(send(account, SWISS.format(77), "one more"), Sent)
        burst(others[1], 1, name="a third")
        now.shift(settings.code_lifetime)
        assert refused(send(account, SWISS.format(78), "at last"))


def test_a_country_is_stopped_when_too_few_codes_were_used(account, now):
    assert not any(map(refused, burst(account, 10)))
    now.shift(settings.code_lifetime)
    assert refused(send(account, SWISS.format(77), "one more"))
    stop = db.session.query(SmsStop).one()
    assert (stop.prefix, stop.sent, stop.used) == ("+41", 10, 0)
    assert not refused(send(account, FRENCH.format(1), "elsewhere"))
    event = db.session.query(AuditEvent).filter_by(event="sms_stopped").one()
    assert event.details == {"prefix": "+41", "sent": 10, "used": 0}
    assert event.actor == "system"


def test_fewer_than_the_least_are_no_reason(account, now):
    burst(account, 9)
    now.shift(settings.code_lifetime)
    assert not refused(send(account, SWISS.format(77), "one more"))


def test_codes_that_may_still_come_back_are_not_held_against_a_country(account, now):
    """A letter to all citizens brings many of them within a minute."""
    assert not any(map(refused, burst(account, 40)))
    now.shift(settings.code_lifetime - timedelta(seconds=1))
    assert not refused(send(account, SWISS.format(77), "one more"))


def test_codes_that_can_no_longer_come_back_are(account, now):
    """Whoever asks for the next code gives up the one before."""
    burst(account, 10)
    with transaction():
        issue.close_all(account)
    assert refused(send(account, SWISS.format(77), "one more"))


def test_mail_to_an_address_that_looks_like_a_number_is_not_taken_for_one(account, now):
    burst(account, 10)
    now.shift(settings.code_lifetime)
    burst(account, 10, "+41{}@example.ch", "mail", channel=Channel.EMAIL)
    assert refused(send(account, SWISS.format(77), "one more"))


@pytest.mark.parametrize(("used", "stops"), [(2, True), (3, False), (5, False)])
def test_the_share_decides(account, now, used, stops):
    """Twenty percent: of three and thirteen it is 18, of two and twelve less."""
    use(account, used)
    burst(account, 10)
    now.shift(settings.code_lifetime)
    assert refused(send(account, SWISS.format(77), "one more")) is stops


def test_what_is_older_than_the_window_no_longer_counts(account, now):
    burst(account, 10)
    now.shift(settings.sms_watch_window + timedelta(hours=1))
    assert not refused(send(account, SWISS.format(77), "one more"))


def test_nothing_is_stopped_where_the_share_is_nought(app, account, now):
    with override(app, sms_watch_share=0):
        burst(account, 30)
        now.shift(settings.code_lifetime)
        assert not refused(send(account, SWISS.format(77), "one more"))


def test_an_allowed_country_is_counted_anew(account, now):
    burst(account, 10)
    now.shift(settings.code_lifetime)
    assert refused(send(account, SWISS.format(77), "one more"))
    with transaction():
        assert sms.allow("+41", "os:rosa")
        assert not sms.allow("+41", "os:rosa")
        assert not sms.allow("+33", "os:rosa")
    assert not any(map(refused, burst(account, 9, name="again")))
    assert [state.stopped_at for state in sms.prefixes()] == [None]
    assert db.session.query(AuditEvent).filter_by(event="sms_allowed").one().actor == "os:rosa"


def test_a_country_is_stopped_once_whoever_sees_it_first(app, account, now):
    burst(account, 10)
    now.shift(settings.code_lifetime)

    def one(number):
        with app.app_context():
            return refused(send(account, SWISS.format(number), f"late {number}"))

    assert all(together(6, one))
    assert db.session.query(AuditEvent).filter_by(event="sms_stopped").count() == 1


def test_counts_of_the_same_moment_are_all_kept(app, account):
    def one(number):
        with app.app_context():
            return send(account, SWISS.format(number), f"at once {number}")

    assert all(isinstance(outcome, Sent) for outcome in together(8, one))
    assert rows() == {("+41", 8, 0)}


def test_a_message_that_is_not_sent_is_not_counted(account):
    send(account, SWISS.format(1), "twice")
    outcome = send(account, SWISS.format(1), "twice")
    assert outcome == SendRefused(SendProblem.TOO_SOON, settings.resend_after)
    assert rows() == {("+41", 1, 0)}


def test_a_country_gets_so_many_messages_in_a_day(app, account, now):
    with override(app, sms_limit_prefix=3):
        outcomes = burst(account, 5)
        assert [refused(one) for one in outcomes] == [False] * 3 + [True] * 2
        assert not refused(send(account, FRENCH.format(1), "elsewhere"))
        now.shift(timedelta(days=1))
        assert not refused(send(account, SWISS.format(9), "tomorrow"))


def test_all_countries_together_get_so_many_in_a_day(app, account):
    with override(app, sms_limit_day=3):
        assert [refused(one) for one in burst(account, 3)] == [False] * 3
        assert refused(send(account, FRENCH.format(1), "elsewhere"))


def test_enrolment_leaves_half_to_verified_numbers(app, account):
    enrols = {"purpose": Purpose.PHONE_ENROLMENT, "epoch": None}
    with override(app, sms_limit_day=6):
        outcomes = [send(None, SWISS.format(n), f"case {n}", case_id=n, **enrols) for n in range(5)]
        assert [refused(one) for one in outcomes] == [False] * 3 + [True] * 2
        assert not any(map(refused, burst(account, 3, name="owner")))
    assert db.session.query(Challenge).count() == 6


def test_enrolment_cannot_use_up_a_countrys_messages_to_verified_numbers(app, account):
    enrols = {"purpose": Purpose.PHONE_ENROLMENT, "epoch": None}
    with override(app, sms_limit_prefix=2):
        for n in range(4):
            outcome = send(None, SWISS.format(n), f"case {n}", case_id=n, **enrols)
        assert refused(outcome)
        assert not any(map(refused, burst(account, 2, name="owner")))


def test_hours_are_forgotten_after_a_month(account, now):
    burst(account, 1)
    now.shift(timedelta(days=31) - timedelta(hours=1))
    with transaction():
        assert sms.purge(10) == 0
    now.shift(timedelta(hours=1))
    burst(account, 1, name="later")
    with transaction():
        assert sms.purge(10) == 1
    assert len(rows()) == 1
