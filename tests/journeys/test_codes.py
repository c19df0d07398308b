"""Codes: right, wrong, malformed, late, too many, again (DESIGN 6 and 7)."""

from datetime import timedelta

import pytest
import time_machine

from idp import clock
from idp.challenges.challenge import Challenge
from idp.delivery import outbox
from idp.extensions import db
from idp.flow import undelivered
from idp.keys import kek
from tests.support.accounts import ADDRESS, make_account
from tests.support.journey import Person
from tests.support.people import PASSWORD
from tests.support.settings import override


def another(code):
    """A well-formed code that is not this one."""
    return ("1" if code[0] != "1" else "2") + code[1:]


@pytest.fixture
def at_email_code(person):
    return person.authorize().sign_in("jeanne", PASSWORD).press("Recevoir le code", email=ADDRESS)


@pytest.fixture
def at_second_factor(person):
    make_account(phone="+41791234567")
    person.authorize().sign_in(ADDRESS, "trois petits canards verts")
    assert person.step == "second-factor"
    return person


@pytest.fixture(params=["at_email_code", "at_second_factor"])
def waiting(request):
    return request.getfixturevalue(request.param)


def enter(person, code):
    return person.press("Vérifier le code", code=code)


def test_a_code_with_spaces_is_read_as_people_copy_it(waiting):
    code = waiting.code()
    step = waiting.step
    enter(waiting, f" {code[:3]} {code[3:]} ")
    assert waiting.step != step


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "１２３４５６", "\x00" * 6])
def test_what_is_no_code_costs_no_try(waiting, typed):
    step, code = waiting.step, waiting.code()
    for _ in range(6):
        enter(waiting, typed)
        assert (waiting.step, waiting.page.status) == (step, 422)
        assert "Saisissez les 6 chiffres" in waiting.page.text
    assert enter(waiting, code).step != step


def test_a_wrong_code_says_so_and_the_right_one_still_works(waiting):
    step, code = waiting.step, waiting.code()
    enter(waiting, another(code))
    assert (waiting.step, waiting.page.status) == (step, 422)
    assert "Ce code n’est pas le bon" in waiting.page.text
    assert enter(waiting, code).step != step


def test_after_five_wrong_codes_even_the_right_one_has_to_wait(waiting):
    start = clock.now()
    with time_machine.travel(start, tick=False) as now:
        step, code = waiting.step, waiting.code()
        for _ in range(5):
            enter(waiting, another(code))
        enter(waiting, code)
        assert (waiting.step, waiting.page.status) == (step, 429)
        assert "Réessayez dans 10 minutes" in waiting.page.text
        now.shift(timedelta(minutes=10, seconds=1))
        waiting.press("Envoyer le code à nouveau")
        assert enter(waiting, waiting.code()).step != step


def test_a_code_is_good_for_ten_minutes_and_then_another_can_be_asked_for(waiting):
    step, code = waiting.step, waiting.code()
    with time_machine.travel(clock.now() + timedelta(minutes=10, seconds=1), tick=True):
        enter(waiting, code)
        assert waiting.step == step
        assert "n’est plus valable" in waiting.page.text
        waiting.press("Envoyer le code à nouveau")
        fresh = waiting.code()
        assert fresh != code
        assert enter(waiting, fresh).step != step


def test_a_used_code_is_used_up(waiting):
    code, path = waiting.code(), waiting.path
    page = waiting.page
    enter(waiting, code)
    waiting.page = page
    again = waiting.post(path, code=code)
    assert again.status_code == 303
    assert db.session.query(Challenge).filter(Challenge.verified_at.is_not(None)).count() == 1


def test_too_soon_a_resend_is_refused_and_later_it_is_the_same_code(waiting, inbox):
    start = clock.now()
    with time_machine.travel(start, tick=False) as now:
        step, code = waiting.step, waiting.code()
        waiting.press("Envoyer le code à nouveau")
        assert waiting.page.status == 429
        assert "Réessayez dans 30 secondes" in waiting.page.text
        now.shift(timedelta(seconds=31))
        before = len(inbox.messages)
        waiting.press("Envoyer le code à nouveau")
        assert waiting.page.status == 200
        assert waiting.code() == code
        assert len(inbox.messages) == before + 1
        now.shift(timedelta(minutes=7))
        waiting.press("Envoyer le code à nouveau")
        assert waiting.code() != code, "little life was left"
        enter(waiting, code)
        assert waiting.step == step, "the former code is dead"


def test_five_messages_in_a_quarter_of_an_hour_are_enough_and_the_page_says_when(at_email_code):
    start = clock.now()
    with time_machine.travel(start, tick=False) as now:
        for _ in range(4):
            now.shift(timedelta(seconds=31))
            at_email_code.press("Envoyer le code à nouveau")
            assert at_email_code.page.status == 200
        now.shift(timedelta(seconds=31))
        at_email_code.press("Envoyer le code à nouveau")
        assert at_email_code.page.status == 429
        assert "Trop de codes ont été demandés" in at_email_code.page.text


def test_one_person_cannot_send_without_end(inbox, person):
    """Not to one address however it is tagged, not to many, not by going back and forth."""
    with time_machine.travel(clock.now(), tick=False) as now:
        person.authorize().sign_in("paul", PASSWORD)

        def ask(address):
            person.press("Recevoir le code", email=address)
            sent = person.page.status == 200
            return person.press("Corriger l’adresse email") if sent else None

        assert ask(ADDRESS)
        assert not ask(ADDRESS), "half a minute between two messages, also from the page before"
        assert not ask(ADDRESS.replace("@", "+tag@")), "which is the same mailbox"
        for _ in range(4):
            now.shift(timedelta(seconds=31))
            assert ask(ADDRESS)
        now.shift(timedelta(seconds=31))
        assert not ask(ADDRESS), "five in a quarter of an hour"
        assert all(ask(f"other{number}@example.ch") for number in range(10))
        assert not ask("one-more@example.ch"), "fifteen to all addresses together"


def test_no_stranger_uses_up_the_messages_of_an_owner(app, inbox, portal, person):
    make_account()
    with time_machine.travel(clock.now(), tick=False) as now:
        stranger = Person(app, inbox, portal).authorize().sign_in("paul", PASSWORD)
        for address in (ADDRESS, "jeanne.migre@example.ch"):
            for _ in range(5):
                stranger.press("Recevoir le code", email=address)
                stranger.press("Corriger l’adresse email")
                now.shift(timedelta(seconds=31))
            stranger.press("Recevoir le code", email=address)
            assert stranger.page.status == 429
        newcomer = Person(app, inbox, portal).authorize().sign_in("jeanne", PASSWORD)
        assert (
            newcomer.press("Recevoir le code", email="jeanne.migre@example.ch").step == "email-code"
        )
        assert newcomer.code("jeanne.migre@example.ch")
        person.authorize().two_factors(ADDRESS)
        assert person.callback["code"]


def test_channels_cannot_be_flipped_to_send_at_once(at_second_factor, inbox):
    at_second_factor.press("Recevoir le code par email").press("Recevoir le code par SMS")
    assert at_second_factor.page.status == 429
    assert "Un code vient d’être envoyé" in at_second_factor.page.text
    enter(at_second_factor, at_second_factor.code(ADDRESS))
    assert at_second_factor.callback["code"]


def test_the_other_channel_is_one_click_away_and_kills_the_first_code(at_second_factor, inbox):
    by_sms = at_second_factor.code("+41791234567")
    at_second_factor.press("Recevoir le code par email")
    by_mail = at_second_factor.code(ADDRESS)
    assert "j•••@e•••.ch" in at_second_factor.page.text
    enter(at_second_factor, by_sms if by_sms != by_mail else another(by_mail))
    assert at_second_factor.step == "second-factor"
    enter(at_second_factor, by_mail)
    assert at_second_factor.callback["code"]


def test_the_page_that_refuses_a_resend_takes_the_code_and_survives_a_reload(waiting):
    step, code = waiting.step, waiting.code()
    waiting.press("Envoyer le code à nouveau")
    assert waiting.page.status == 429
    assert waiting.path.endswith("/resend")
    assert "Un code vient d’être envoyé" in waiting.page.text
    assert "aria-invalid" not in waiting.page.source, "the code is not what is wrong"
    refused = waiting.page, waiting.path
    assert waiting.get(waiting.path).step == step
    waiting.page, waiting.path = refused
    enter(waiting, another(code))
    assert "Ce code n’est pas le bon" in waiting.page.text
    assert enter(waiting, code).step != step


def test_a_destination_on_record_is_shown_masked_only(at_second_factor):
    assert "+41 ••• 67" in at_second_factor.page.text
    assert "791234567" not in at_second_factor.page.source


def test_when_no_message_may_be_sent_the_page_says_so_and_the_other_channel_works(person):
    make_account(phone="+41791234567")
    password = "trois petits canards verts"
    for _ in range(5):
        person.authorize(prompt="login").sign_in(ADDRESS, password)
    person.authorize(prompt="login").sign_in(ADDRESS, password)
    assert person.step == "second-factor"
    assert "aucun nouveau code n’est parti" in person.page.text
    person.press("Recevoir le code par email")
    enter(person, person.code(ADDRESS))
    assert person.callback["code"]


def test_somebody_else_can_take_over_the_page(at_second_factor):
    at_second_factor.press("Ce n’est pas vous ? Changer d’identifiant")
    assert at_second_factor.step == "sign-in"
    assert at_second_factor.page.forms[0].fields["identifier"] == ""


def test_without_a_gateway_codes_go_by_mail_even_to_who_gave_a_number(app, person, inbox):
    make_account(phone="+41791234567")
    with override(app, sms_url=""):
        person.authorize().sign_in(ADDRESS, "trois petits canards verts")
        assert "Recevoir le code par SMS" not in person.page.text
        person.press("Vérifier le code", code=person.code(to=ADDRESS))
    assert person.callback["code"]


def test_a_code_of_a_replaced_key_encryption_key_is_no_longer_valid_and_another_is(
    app, waiting, tmp_path
):
    code, step = waiting.code(), waiting.step
    kek.create(tmp_path / "kek.json")
    with override(app, kek_file=tmp_path / "kek.json"):
        enter(waiting, code)
        assert (waiting.step, waiting.page.status) == (step, 422)
        assert "n’est plus valable" in waiting.page.text
        with time_machine.travel(clock.now() + timedelta(seconds=31), tick=True):
            waiting.press("Envoyer le code à nouveau")
            assert enter(waiting, waiting.code()).step != step


def test_a_code_that_was_replaced_while_the_mail_server_was_dead_is_not_sent(app, inbox, person):
    """Whoever corrects their address gets one code, at the right one."""
    person.authorize().sign_in("jeanne", PASSWORD)
    inbox.smtp_answer = "451 later"
    with time_machine.travel(clock.now(), tick=False) as now:
        person.press("Recevoir le code", email="wrong@example.ch")
        outbox.deliver_due("test", owners=undelivered.OWNERS)
        person.press("Corriger l’adresse email")
        person.press("Recevoir le code", email="right@example.ch")
        inbox.smtp_answer = "250 OK"
        now.shift(timedelta(seconds=5))
        outbox.deliver_due("test", owners=undelivered.OWNERS)
    codes = [message.to for message in inbox.messages if message.channel == "email"]
    assert codes == ["right@example.ch"]
