"""«Mot de passe oublié ?»: mailbox, phone, new password, and back to an ordinary sign-in."""

from datetime import timedelta

import pytest
import time_machine

from idp import clock
from idp.accounts import account as accounts
from idp.challenges import verify
from idp.delivery import outbox
from idp.extensions import db, settings, transaction
from idp.flow import floor
from idp.flow.interaction import Interaction
from idp.security import throttle
from idp.sessions.models import Authentication
from tests.support.accounts import ADDRESS, make_account
from tests.support.journey import NEW_PASSWORD
from tests.support.people import PASSWORD
from tests.support.recovery import CHOSEN, FORGOTTEN, SAVE, ask, choose, enter
from tests.support.settings import override

NUMBER = "+41791234567"
ALWAYS = "Si un compte a cette adresse, nous lui avons envoyé un code."


def account(row):
    db.session.expire_all()
    return accounts.by_id(row)


def test_without_a_phone_it_takes_the_mailbox_and_ends_at_an_ordinary_sign_in(person, inbox):
    row = make_account()
    assert ask(person).step == "recovery-code"
    assert ALWAYS in person.page.text
    assert enter(person).step == "recovery-password"
    assert "nouveau mot de passe" in inbox.messages[-1].text
    choose(person)
    assert person.step == "sign-in"
    assert person.page.forms[0].fields["identifier"] == ADDRESS
    assert "Votre nouveau mot de passe est enregistré" in person.page.text
    assert person.callback is None
    assert db.session.query(Authentication).count() == 0
    person.sign_in(ADDRESS, NEW_PASSWORD)
    assert person.step == "sign-in", "the forgotten password is dead"
    person.two_factors(ADDRESS, CHOSEN)
    assert person.callback["code"]
    assert account(row).epoch == 2


def test_who_has_a_phone_shows_it_too(person, inbox):
    make_account(phone=NUMBER)
    assert enter(ask(person)).step == "recovery-phone-code"
    assert "+41 ••• 67" in person.page.text
    assert enter(person, NUMBER).step == "recovery-password"
    assert choose(person).step == "sign-in"
    person.sign_in(ADDRESS, CHOSEN)
    person.press("Vérifier le code", code=person.code(NUMBER))
    assert person.callback["code"]


def test_without_a_gateway_the_mailbox_is_enough(app, person):
    make_account(phone=NUMBER)
    with override(app, sms_url=""):
        assert enter(ask(person)).step == "recovery-password"


def test_every_contact_is_told_with_a_link_that_stops_it_and_contacts_are_held(person, inbox):
    row = make_account(phone=NUMBER)
    choose(enter(enter(ask(person)), NUMBER))
    inbox.clear()
    outbox.deliver_due("test")
    told = {message.to: message.text for message in inbox.messages}
    assert set(told) == {ADDRESS, NUMBER}
    assert all("/alert/" in text for text in told.values())
    held = account(row).contacts_held_until - clock.now()
    assert timedelta(hours=71) < held <= settings.contacts_held


def test_everything_that_was_open_ends(person, another):
    make_account()
    elsewhere = another().authorize()
    elsewhere.two_factors(ADDRESS)
    choose(enter(ask(person)))
    assert elsewhere.authorize(prompt="none").callback["error"] == "login_required"


def test_a_hundred_wrong_codes_in_a_row_are_forgiven(person):
    row = make_account()
    for _ in range(100):
        with transaction():
            throttle.reserve(verify.in_a_row(row))
    person.authorize().sign_in(ADDRESS, NEW_PASSWORD)
    assert "Choisissez un nouveau mot de passe" in person.page.text
    person.press(FORGOTTEN)
    assert person.page.forms[0].fields["email"] == ADDRESS
    enter(person.press("Recevoir le code", email=ADDRESS))
    choose(person).two_factors(ADDRESS, CHOSEN)
    assert person.callback["code"]


def test_the_page_of_the_second_factor_leads_there_once_codes_no_longer_help(person):
    row = make_account()
    person.authorize().sign_in(ADDRESS, NEW_PASSWORD)
    for _ in range(100):
        with transaction():
            throttle.reserve(verify.in_a_row(row))
    person.press("Vérifier le code", code=person.code())
    assert (person.step, person.page.status) == ("second-factor", 429)
    assert person.press(FORGOTTEN).step == "recovery"


@pytest.mark.parametrize(
    ("password", "confirmation", "word"),
    [
        ("court", "court", "trop court"),
        (CHOSEN, "autre chose ici", "ne sont pas les mêmes"),
        ("jeanne favre 1950", "jeanne favre 1950", "contient votre nom"),
        (NEW_PASSWORD, NEW_PASSWORD, "mot de passe actuel"),
    ],
)
def test_the_new_password_follows_the_same_rules_and_is_another_one(
    person, password, confirmation, word
):
    row = make_account()
    enter(ask(person)).press(SAVE, password=password, confirmation=confirmation)
    assert (person.step, person.page.status) == ("recovery-password", 422)
    assert word in person.page.text
    assert account(row).epoch == 1
    assert choose(person).step == "sign-in"


def test_the_address_can_be_corrected(person):
    make_account()
    ask(person, "typo@example.ch").press("Corriger la saisie")
    assert person.step == "recovery"
    assert person.page.forms[0].fields["email"] == "typo@example.ch"
    person.press("Recevoir le code", email=ADDRESS)
    assert enter(person).step == "recovery-password"


def test_what_was_typed_stays_where_too_many_ask_at_once(app, person):
    person.authorize().press(FORGOTTEN)
    with override(app, sign_in_slots=1), floor.slot():
        person.press("Recevoir le code", email=ADDRESS)
    assert person.page.status == 503
    assert person.page.forms[0].fields["email"] == ADDRESS


@pytest.mark.parametrize("codes", [0, 1, 2])
def test_the_way_back_to_sign_in_is_open_at_every_step(person, codes):
    make_account(phone=NUMBER)
    ask(person)
    for to in (ADDRESS, NUMBER)[:codes]:
        enter(person, to)
    left = person.step
    back = next(b for form in person.page.forms for b in form.buttons if "à la connexion" in b)
    assert person.press(back).step == "sign-in", left
    assert person.press(FORGOTTEN).step == "recovery", "and nothing is left of what was proven"


def test_any_spelling_of_the_address_does_and_mail_goes_to_the_stored_one(person, inbox):
    make_account()
    ask(person, "  JEANNE@Example.CH ")
    assert enter(person).step == "recovery-password"
    assert {message.to for message in inbox.messages} == {ADDRESS}


def test_a_late_code_can_be_asked_for_again(person):
    make_account()
    late = ask(person).code()
    with time_machine.travel(clock.now() + timedelta(minutes=11), tick=True):
        person.press("Vérifier le code", code=late)
        assert "n’est plus valable" in person.page.text
        person.press("Envoyer le code à nouveau")
        assert enter(person).step == "recovery-password"


def test_a_code_that_could_not_be_sent_by_sms_can_be_asked_for_later(person):
    """One phone may serve several people, and gets five codes in a quarter of an hour."""
    for number in range(6):
        make_account(f"p{number}@example.ch", phone=NUMBER)
        enter(ask(person, f"p{number}@example.ch"), f"p{number}@example.ch")
    assert person.step == "recovery-phone-code"
    assert "aucun nouveau code n’est parti" in person.page.text
    with time_machine.travel(clock.now() + timedelta(minutes=16), tick=True):
        person.press("Envoyer le code à nouveau")
        assert enter(person, NUMBER).step == "recovery-password"


def test_who_came_with_an_old_identifier_goes_on_to_migrate(person):
    ask(person, "jeanne")
    assert ALWAYS in person.page.text
    person.press("Revenir à la connexion").sign_in("jeanne", PASSWORD)
    assert person.step == "email"


def test_what_was_proven_on_the_way_is_dropped(person):
    """Neither a first factor nor a migration goes on beside a recovery."""
    row = make_account()
    person.authorize().sign_in(ADDRESS, NEW_PASSWORD)
    for _ in range(100):
        with transaction():
            throttle.reserve(verify.in_a_row(row))
    code = person.code()
    person.press("Vérifier le code", code=code)
    person.press(FORGOTTEN)
    person.post(f"{person.path.rsplit('/', 1)[0]}/second-factor", code=code)
    assert db.session.query(Authentication).count() == 0
    assert person.get(person.path).step == "recovery"


def test_of_a_migration_that_ended_elsewhere_nothing_is_kept_or_said(person, another):
    person.authorize().sign_in("jeanne", PASSWORD)
    another().authorize().migrate("jeanne", PASSWORD, ADDRESS)
    assert "vient d’être terminée" in person.get(person.path).page.text
    person.press(FORGOTTEN)
    assert "vient d’être terminée" not in person.page.text
    kept = db.session.query(Interaction).filter_by(id=person.path.split("/")[2]).one()
    assert (kept.case_id, kept.legacy_password_hash) == (None, None)
