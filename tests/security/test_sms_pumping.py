"""No message to countries, kinds of number, or in quantities that would make somebody rich."""

import pytest
import time_machine

from idp import clock
from idp.challenges.sms import SmsStop
from idp.delivery import outbox
from idp.extensions import db, settings, transaction
from tests.support.accounts import ADDRESS, make_account
from tests.support.journey import NEW_PASSWORD, Person
from tests.support.people import PASSWORD
from tests.support.settings import override

FAR = [
    "+882 16 5555 5555",
    "+7 912 345 67 89",
    "+1 876 555 1234",
    "+232 76 123456",
    "+53 5 1234567",
]
PREMIUM = ["0900 123 456", "0901 123 456", "0906 123 456", "+33 899 70 00 00", "0848 123 456"]
FIXED = ["021 316 11 11", "+33 1 42 34 56 78"]


@pytest.fixture
def at_phone(person):
    person.authorize().sign_in("jeanne", PASSWORD).give_email("moi@example.ch")
    assert person.step == "phone"
    return person


@pytest.mark.parametrize("number", [*FAR, *PREMIUM, *FIXED])
def test_no_message_to_a_number_that_may_cost_more_than_it_should(at_phone, inbox, number):
    before = len(inbox.messages)
    at_phone.press("Recevoir le code", phone=number)
    assert (at_phone.step, at_phone.page.status) == ("phone", 422)
    assert len(inbox.messages) == before


def test_one_number_gets_so_many_messages_from_all_cases_together(app, inbox, another):
    """However long each of them waits between two."""
    statuses = []
    with time_machine.travel(clock.now(), tick=False) as now, override(app, send_spread=1):
        for login in ("jeanne", "paul", "rosa", "luc", "anna"):
            person = another().authorize().sign_in(login, PASSWORD)
            person.give_email(f"{login}@example.ch")
            for _ in range(2):
                person.press("Recevoir le code", phone="079 123 45 67")
                statuses.append(person.page.status)
                if person.step == "phone-code":
                    person.press("Corriger le numéro")
                now.shift(settings.resend_after)
        outbox.deliver_due("test")
    assert statuses == [200] * 5 + [429] * 5
    assert len([one for one in inbox.codes if one.channel == "sms"]) == 5


@pytest.fixture
def stopped(app):
    """No SMS goes to Switzerland."""
    with transaction():
        db.session.add(SmsStop(prefix="+41", stopped_at=clock.now(), sent=60, used=1))


@pytest.mark.usefixtures("stopped")
def test_a_stopped_country_is_told_on_the_page_that_asks_for_a_number(at_phone, inbox):
    at_phone.press("Recevoir le code", phone="079 123 45 67")
    assert (at_phone.step, at_phone.page.status) == ("phone", 422)
    assert "SMS dans ce pays n’est pas possible en ce moment" in at_phone.page.text
    at_phone.press("Recevoir le code", phone="+33 6 12 34 56 78")
    assert at_phone.step == "phone-code"
    at_phone.code()
    assert [one.to for one in inbox.codes if one.channel == "sms"] == ["+33612345678"]


@pytest.mark.usefixtures("stopped")
def test_no_notice_goes_there_either(person, inbox):
    person.authorize().sign_in("jeanne", PASSWORD).press("Recevoir le code", email=ADDRESS)
    outbox.deliver_due("test")
    assert [one.to for one in inbox.messages] == [ADDRESS]


@pytest.mark.usefixtures("stopped")
def test_whoever_has_a_number_there_gets_the_code_by_mail(person, inbox):
    make_account(phone="+41791234567")
    person.authorize().sign_in(ADDRESS, NEW_PASSWORD)
    assert "j•••@e•••.ch" in person.page.text
    assert "Recevoir le code par SMS" not in person.page.text
    person.press("Vérifier le code", code=person.code(ADDRESS))
    assert person.callback["code"]
    assert not [one for one in inbox.messages if one.channel == "sms"]


def test_a_stop_while_a_code_is_awaited_turns_the_next_one_into_a_mail(app, person):
    make_account(phone="+41791234567")
    person.authorize().sign_in(ADDRESS, NEW_PASSWORD)
    assert person.code("+41791234567")
    with transaction():
        db.session.add(SmsStop(prefix="+41", stopped_at=clock.now(), sent=60, used=1))
    with time_machine.travel(clock.now() + settings.resend_after, tick=True):
        person.press("Envoyer le code à nouveau")
        assert "j•••@e•••.ch" in person.page.text
        person.press("Vérifier le code", code=person.code(ADDRESS))
    assert person.callback["code"]


def test_a_stop_while_a_number_is_being_enrolled_leaves_the_ways_out(app, at_phone):
    at_phone.press("Recevoir le code", phone="079 123 45 67")
    with transaction():
        db.session.add(SmsStop(prefix="+41", stopped_at=clock.now(), sent=60, used=1))
    with time_machine.travel(clock.now() + settings.resend_after, tick=True):
        at_phone.press("Envoyer le code à nouveau")
    assert at_phone.page.status == 422, "no waiting would help"
    assert "SMS dans ce pays n’est pas possible" in at_phone.page.text
    at_phone.press("Je ne souhaite pas donner mon numéro de téléphone")
    assert at_phone.step == "profile"


def test_when_the_days_messages_are_spent_codes_go_by_mail(app, person, inbox):
    make_account(phone="+41791234567")
    with override(app, sms_limit_day=1):
        person.authorize().sign_in(ADDRESS, NEW_PASSWORD)
        assert person.code("+41791234567")
        other = Person(app, inbox, person.client).authorize().sign_in(ADDRESS, NEW_PASSWORD)
        other.press("Vérifier le code", code=other.code(ADDRESS))
        assert other.callback["code"]


def test_a_network_enrols_so_many_destinations_and_owners_there_still_get_their_codes(
    app, inbox, portal
):
    make_account("autre@example.ch")

    def at(address):
        person = Person(app, inbox, portal)
        person.browser.environ_base["REMOTE_ADDR"] = address
        return person.authorize()

    with override(app, send_limit_network=3):
        seen = []
        for number, login in enumerate(("jeanne", "paul", "rosa", "luc", "anna")):
            person = at(f"192.0.2.{number}").sign_in(login, PASSWORD)
            person.press("Recevoir le code", email=f"{login}@example.ch")
            seen.append(person.page.status)
        assert seen == [200] * 3 + [429] * 2
        elsewhere = at("192.0.3.1").sign_in("anna", PASSWORD)
        assert elsewhere.press("Recevoir le code", email="anna@example.ch").step == "email-code"
        owner = at("192.0.2.1").two_factors("autre@example.ch")
        assert owner.callback["code"]


def test_a_resend_counts_for_the_network_too(app, person):
    with override(app, send_limit_network=2):
        person.authorize().sign_in("jeanne", PASSWORD)
        person.press("Recevoir le code", email="moi@example.ch")
        seen = []
        for number in range(1, 3):
            time = clock.now() + number * settings.resend_after
            with time_machine.travel(time, tick=True):
                seen.append(person.press("Envoyer le code à nouveau").page.status)
        assert seen == [200, 429]
