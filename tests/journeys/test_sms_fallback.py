"""When no gateway takes an SMS: the code of a sign-in goes by e-mail, and the page says so."""

import re
from datetime import timedelta

import pytest
import time_machine

from idp import clock, housekeeping
from idp.challenges import sms
from idp.challenges.challenge import Challenge, Channel
from idp.delivery import outbox
from idp.delivery.models import OutboxMessage, OutboxStatus
from idp.extensions import db
from idp.flow import undelivered
from tests.support.accounts import ADDRESS, make_account
from tests.support.journey import NEW_PASSWORD
from tests.support.people import PASSWORD
from tests.support.settings import override

PHONE = "+41791234567"


def work(now=None, rounds=3):
    """What a worker does, for some seconds."""
    for _ in range(rounds):
        for channel in outbox.CHANNELS:
            outbox.deliver_due("worker", channel, undelivered.OWNERS)
        if now:
            now.shift(timedelta(seconds=3))
    db.session.rollback()


@pytest.fixture
def now():
    with time_machine.travel(clock.now(), tick=False) as now:
        yield now


@pytest.fixture
def waiting(person, inbox, now):
    """At the second factor, with a code by SMS on its way."""
    make_account(phone=PHONE)
    person.authorize().sign_in(ADDRESS, NEW_PASSWORD)
    assert "par SMS" in person.page.text
    inbox.sms_status = 503
    return person


def newest_code(inbox, to):
    message = next(one for one in reversed(inbox.messages) if one.to == to)
    return re.search(r"\b(\d{6})\b", message.text)[1]


def rows():
    return db.session.query(OutboxMessage).order_by(OutboxMessage.id).all()


def test_the_code_of_a_sign_in_goes_by_mail_instead_and_the_page_says_so(waiting, inbox, now):
    work(now)
    waiting.get(waiting.path)
    assert "nous avons envoyé un nouveau code par email" in waiting.page.text
    assert "j•••@e•••.ch" in waiting.page.text
    waiting.press("Vérifier le code", code=newest_code(inbox, ADDRESS))
    assert waiting.callback["code"]
    lost, sent, notice = rows()
    assert (lost.status, lost.payload) == (OutboxStatus.DEAD, None)
    assert sent.status is OutboxStatus.SENT
    assert (notice.topic, notice.kind) == (None, "email"), "of a browser that is new"


def test_the_code_that_did_not_go_is_dead(waiting, inbox, now):
    """The gateway may have taken it after all: it must not work beside the other one."""
    first = db.session.query(Challenge).one()
    work(now)
    db.session.refresh(first)
    assert first.closed_at is not None
    assert db.session.query(Challenge).filter_by(closed_at=None).one().channel is Channel.EMAIL


def test_a_page_that_was_open_meanwhile_takes_the_code_from_the_mail(waiting, inbox, now):
    work(now)
    waiting.press("Vérifier le code", code=newest_code(inbox, ADDRESS))
    assert waiting.callback["code"]


def test_a_gateway_that_refuses_leads_there_at_once(waiting, inbox, now):
    inbox.sms_status = 400
    work(rounds=1)
    outbox.deliver_due("worker", "email", undelivered.OWNERS)
    assert newest_code(inbox, ADDRESS)


def test_a_gateway_that_comes_back_in_time_still_gets_it(waiting, inbox, now):
    outbox.deliver_due("worker", "sms", undelivered.OWNERS)
    inbox.sms_status = 200
    work(now)
    assert [one.channel for one in inbox.messages] == ["sms"]
    waiting.press("Vérifier le code", code=newest_code(inbox, PHONE))
    assert waiting.callback["code"]


def test_who_asked_for_mail_meanwhile_gets_no_second_one(waiting, inbox, now):
    now.shift(timedelta(seconds=31))
    waiting.press("Recevoir le code par email")
    work(now)
    assert [one.channel for one in inbox.messages] == ["email"]
    waiting.get(waiting.path)
    assert "Le SMS" not in waiting.page.text


def test_who_went_away_gets_nothing(waiting, inbox, now):
    waiting.press("Ce n’est pas vous ? Changer d’identifiant")
    work(now)
    assert inbox.messages == []


def test_an_interaction_that_is_over_gets_nothing(waiting, inbox, now):
    with time_machine.travel(clock.now() + timedelta(minutes=61)):
        assert not undelivered.code_lost(str(db.session.query(Challenge).one().id))
    db.session.rollback()


def test_a_failing_gateway_sends_no_more_mails_than_a_person_could(waiting, inbox, now):
    """Whoever can make SMS fail gets no way around the budgets."""
    for _ in range(12):
        work(now)
        now.shift(timedelta(seconds=31))
        waiting.authorize(prompt="login").sign_in(ADDRESS, NEW_PASSWORD)
    assert len([one for one in inbox.messages if one.to == ADDRESS]) <= 5


def test_when_no_mail_may_be_sent_either_the_page_says_that_nothing_went(waiting, inbox, now):
    waiting.press("Recevoir le code par email")
    now.shift(timedelta(seconds=5))
    waiting.press("Recevoir le code par SMS")
    assert waiting.page.status == 429
    now.shift(timedelta(seconds=26))
    waiting.press("Recevoir le code par SMS")
    assert "par SMS au" in waiting.page.text
    with override(waiting.app, send_limit_short=1):
        work(now)
    waiting.get(waiting.path)
    assert "Le SMS n’a pas pu partir" in waiting.page.text
    assert "nous avons envoyé un nouveau code" not in waiting.page.text
    assert "Recevoir le code par email" in waiting.page.text


def test_an_enrolment_by_phone_says_that_the_sms_did_not_go_and_stays_open(person, inbox, now):
    person.authorize().sign_in("jeanne", PASSWORD).give_email("moi@example.ch")
    inbox.sms_status = 503
    person.press("Recevoir le code", phone="079 123 45 67")
    before = len(inbox.messages)
    work(now)
    person.get(person.path)
    assert person.step == "phone-code"
    assert "Le SMS n’a pas pu partir" in person.page.text
    assert len(inbox.messages) == before, "an address proves no phone"
    inbox.sms_status = 200
    now.shift(timedelta(seconds=31))
    person.press("Envoyer le code à nouveau")
    assert "n’a pas pu partir" not in person.page.text
    work(now)
    person.press("Vérifier le code", code=newest_code(inbox, PHONE))
    assert person.step == "profile"


def test_the_notice_goes_with_the_number(person, inbox, now):
    person.authorize().sign_in("jeanne", PASSWORD).give_email("moi@example.ch")
    inbox.sms_status = 503
    person.press("Recevoir le code", phone="079 123 45 67")
    work(now)
    person.get(person.path).press("Corriger le numéro")
    now.shift(timedelta(seconds=31))
    person.press("Recevoir le code", phone="079 123 45 68")
    assert person.step == "phone-code"
    assert "n’a pas pu partir" not in person.page.text


def test_a_mail_that_bounced_is_sent_no_second_time_and_not_told_as_an_sms(person, inbox, now):
    make_account()
    person.authorize().sign_in(ADDRESS, NEW_PASSWORD)
    inbox.smtp_answer = "550 no such mailbox"
    now.shift(timedelta(seconds=31))
    work(now)
    assert [row.status for row in rows()] == [OutboxStatus.DEAD]
    person.get(person.path)
    assert "n’a pas pu partir" not in person.page.text


def test_a_dead_gateway_does_not_look_like_fraud(waiting, inbox, now):
    """Codes that never left are not held against a country as codes that nobody used."""
    assert [(state.prefix, state.sent) for state in sms.prefixes()] == [("+41", 1)]
    work(now)
    assert [(state.prefix, state.sent) for state in sms.prefixes()] == [("+41", 0)]


@pytest.mark.parametrize("tidy", [work, housekeeping.purge], ids=["worker", "purge"])
def test_neither_does_a_worker_that_stood_still(waiting, inbox, now, tidy):
    """And nobody gets a mail for a code that is over."""
    now.shift(timedelta(minutes=11))
    tidy()
    assert [row.status for row in rows()] == [OutboxStatus.EXPIRED]
    assert [(state.prefix, state.sent) for state in sms.prefixes()] == [("+41", 0)]
    assert inbox.messages == []


def test_the_second_code_of_a_recovery_never_goes_by_mail(person, inbox, now):
    """Its mailbox has answered already: a code sent there would prove nothing more."""
    make_account(phone=PHONE)
    person.authorize().press("Mot de passe oublié ?").press("Recevoir le code", email=ADDRESS)
    person.press("Vérifier le code", code=person.code(ADDRESS))
    assert person.step == "recovery-phone-code"
    inbox.sms_status = 503
    before = len(inbox.messages)
    work(now)
    person.get(person.path)
    assert person.step == "recovery-phone-code"
    assert "Le SMS n’a pas pu partir" in person.page.text
    assert len(inbox.messages) == before
