"""The migration's pages: addresses, numbers, passwords, conflicts, interruptions (DESIGN 3)."""

import re
from datetime import timedelta

import pytest
import time_machine

from idp import clock
from idp.accounts.account import Account
from idp.accounts.password import check_password
from idp.extensions import db
from idp.flow.interaction import Interaction
from tests.support.accounts import ADDRESS, make_account
from tests.support.journey import NEW_PASSWORD
from tests.support.people import PASSWORD
from tests.support.settings import override
from tests.support.tokens import redeem, userinfo

REFUSE = "Je ne souhaite pas donner mon numéro de téléphone"


@pytest.fixture
def migrating(person):
    return person.authorize().sign_in("jeanne", PASSWORD)


@pytest.mark.parametrize("typed", ["", "jeanne", "a@b", "a b@example.ch", "x" * 300, "\x00@x.ch"])
def test_an_invalid_address_is_explained_and_kept(migrating, typed):
    migrating.press("Recevoir le code", email=typed)
    assert (migrating.step, migrating.page.status) == ("email", 422)
    assert "Ce n’est pas une adresse email" in migrating.page.text


def test_the_address_can_be_corrected_and_the_first_code_is_dead(migrating):
    migrating.press("Recevoir le code", email="typo@example.ch")
    code = migrating.code("typo@example.ch")
    migrating.press("Corriger l’adresse email")
    assert migrating.page.forms[0].fields["email"] == "typo@example.ch"
    migrating.press("Recevoir le code", email=ADDRESS)
    fresh = migrating.code(ADDRESS)
    if code != fresh:
        migrating.press("Vérifier le code", code=code)
        assert migrating.step == "email-code"
    migrating.press("Vérifier le code", code=fresh)
    assert migrating.step == "email-verified"


def test_a_taken_address_is_told_only_to_who_proves_the_mailbox(migrating, another, inbox):
    make_account("taken@example.ch")
    free = another().authorize().sign_in("paul", PASSWORD)
    free.press("Recevoir le code", email="freer@example.ch")
    migrating.press("Recevoir le code", email="taken@example.ch")
    seen = [re.sub(r"\w{4}-\w{4}|\w+@", "", person.page.text) for person in (migrating, free)]
    assert seen[0] == seen[1], "before the code the pages are alike"
    code = migrating.code("taken@example.ch")
    (told,) = [one.text for one in inbox.messages if one.to == "taken@example.ch"]
    assert "déjà l’identifiant d’un compte" in told
    migrating.press("Vérifier le code", code=code)
    assert migrating.step == "email"
    assert "déjà l’identifiant d’un compte" in migrating.page.text
    migrating.give_email("free@example.ch")
    assert migrating.step == "phone"


@pytest.mark.parametrize(
    ("typed", "word"),
    [
        ("12", "pas un numéro"),
        ("", "pas un numéro"),
        ("+49 151 23456789", "pas un numéro"),
        ("+1 202 555 0123", "dans ce pays"),
        ("022 730 51 11", "ne peut pas recevoir"),
    ],
)
def test_a_number_that_cannot_be_used_is_explained_and_kept(app, migrating, typed, word):
    migrating.give_email(ADDRESS)
    with override(app, sms_countries=("CH", "FR")):
        migrating.press("Recevoir le code", phone=typed)
    assert (migrating.step, migrating.page.status) == ("phone", 422)
    if typed.startswith("+49"):
        word = "dans ce pays"
    assert word in migrating.page.text
    assert migrating.page.forms[0].fields["phone"] == typed


def test_a_number_can_be_corrected_or_refused_after_all(migrating):
    migrating.give_email(ADDRESS).press("Recevoir le code", phone="079 123 45 60")
    assert migrating.step == "phone-code"
    migrating.press("Corriger le numéro")
    assert migrating.page.forms[0].fields["phone"] == "+41791234560"
    migrating.press("Recevoir le code", phone="079 123 45 67")
    migrating.press(REFUSE)
    assert migrating.step == "profile"
    migrating.press("Mettre à jour le compte", password=NEW_PASSWORD, confirmation=NEW_PASSWORD)
    assert db.session.query(Account.phone).scalar() is None


def test_address_and_number_can_be_corrected_on_the_last_page(person):
    person.authorize().to_profile("jeanne", PASSWORD, ADDRESS)
    person.press("Donner un numéro de téléphone")
    assert person.step == "phone"
    person.press("Recevoir le code", phone="079 123 45 67")
    person.press("Vérifier le code", code=person.code())
    assert "SMS au +41 79 123 45 67" in person.page.text
    person.press("Corriger l’adresse email")
    assert person.step == "email"
    person.give_email("autre@example.ch")
    assert person.step == "profile", "the number is proven already"
    assert "autre@example.ch" in person.page.text
    person.press("Corriger le numéro")
    assert person.step == "phone"


def test_one_phone_may_serve_several_people(person, another):
    person.authorize().migrate("jeanne", PASSWORD, "a@example.ch", "079 123 45 67")
    other = another().authorize().migrate("paul", PASSWORD, "b@example.ch", "079 123 45 67")
    assert other.step == "done"


@pytest.mark.parametrize(
    ("password", "confirmation", "word"),
    [
        ("short", "short", "au moins 12 caractères"),
        ("x" * 200, "x" * 200, "128 caractères au plus"),
        ("password1234", "password1234", "trop répandu"),
        ("abababababab", "abababababab", "trop facile à deviner"),
        (NEW_PASSWORD, NEW_PASSWORD + "!", "ne sont pas les mêmes"),
        (PASSWORD, PASSWORD, "ancien mot de passe"),
        ("jeanne@example.ch", "jeanne@example.ch", "votre adresse"),
        ("", "", "au moins 12 caractères"),
    ],
)
def test_a_password_that_will_not_do_is_explained(migrating, password, confirmation, word):
    migrating.give_email(ADDRESS).press(REFUSE)
    migrating.press("Mettre à jour le compte", password=password, confirmation=confirmation)
    assert (migrating.step, migrating.page.status) == ("profile", 422)
    assert word in migrating.page.text
    assert NEW_PASSWORD not in migrating.page.source
    assert db.session.query(Account).count() == 0


def test_nothing_is_written_to_accounts_before_the_end(migrating):
    migrating.give_email(ADDRESS).press(REFUSE)
    assert db.session.query(Account).count() == 0


def test_the_old_systems_information_reaches_the_relying_party(person):
    person.authorize().migrate("jeanne", PASSWORD, ADDRESS, "079 123 45 67")
    person.press("Se connecter à e-services").two_factors(ADDRESS)
    claims = userinfo(person, redeem(person)["access_token"]).get_json()
    assert claims["name"] == "Jeanne Favre"
    assert claims["birthdate"] == "1950-03-14"
    assert claims["address"]["locality"] == "Vevey"
    assert claims["phone_number"] == "+41791234567"


def test_the_portals_request_survives_migration_and_new_sign_in(person):
    person.authorize(state="é &=?", nonce="n-1", scope="openid phone")
    person.migrate("jeanne", PASSWORD, ADDRESS).press("Se connecter à e-services")
    assert person.page.forms[0].fields["identifier"] == ADDRESS
    person.two_factors(ADDRESS)
    assert person.callback["state"] == "é &=?"
    assert redeem(person)["scope"] == "openid phone"


def test_closing_the_browser_and_coming_back_elsewhere_keeps_choices_but_no_proofs(person, another):
    person.authorize().sign_in("jeanne", PASSWORD).give_email(ADDRESS)
    person.press(REFUSE)
    assert person.step == "profile"
    later = another().authorize()
    assert later.step == "sign-in"
    later.sign_in("jeanne", PASSWORD)
    assert later.step == "email"
    assert later.page.forms[0].fields["email"] == ADDRESS
    later.give_email(ADDRESS)
    assert later.step == "profile", "the refusal is a choice and waits"


def test_a_number_chosen_elsewhere_is_filled_in_and_proven_again(person, another):
    person.authorize().sign_in("jeanne", PASSWORD).give_email(ADDRESS)
    person.press("Recevoir le code", phone="079 123 45 67")
    person.press("Vérifier le code", code=person.code())
    later = another().authorize().sign_in("jeanne", PASSWORD).give_email(ADDRESS)
    assert later.step == "phone"
    assert later.page.forms[0].fields["phone"] == "+41791234567"


def test_choices_wait_thirty_days_and_no_longer(person, another):
    person.authorize().sign_in("jeanne", PASSWORD).give_email(ADDRESS)
    with time_machine.travel(clock.now() + timedelta(days=31), tick=True):
        later = another().authorize().sign_in("jeanne", PASSWORD)
        assert later.page.forms[0].fields["email"] == ""


def test_without_a_gateway_the_phone_is_not_asked_for(app, migrating):
    with override(app, sms_url=""):
        migrating.give_email(ADDRESS)
        assert migrating.step == "profile"


def test_another_persons_sign_in_after_a_migration_begins_afresh_and_still_answers(person):
    make_account("paul@example.ch")
    person.authorize().migrate("jeanne", PASSWORD, ADDRESS).press("Se connecter à e-services")
    before = person.path
    person.sign_in("paul@example.ch", NEW_PASSWORD)
    assert person.step == "second-factor"
    assert person.path.split("/")[2] != before.split("/")[2]
    person.press("Vérifier le code", code=person.code("paul@example.ch"))
    assert person.callback["state"] == "the state"


def test_another_legacy_person_after_a_migration_begins_afresh(person):
    person.authorize().migrate("jeanne", PASSWORD, ADDRESS).press("Se connecter à e-services")
    person.sign_in("paul", PASSWORD)
    assert person.step == "email"


@pytest.mark.parametrize("identifier", ["paul@example.ch", "rosa"])
def test_beginning_afresh_gives_no_more_time_than_the_sixty_minutes(person, identifier):
    make_account("paul@example.ch")
    with time_machine.travel(clock.now(), tick=False) as now:
        person.authorize().migrate("jeanne", PASSWORD, ADDRESS).press("Se connecter à e-services")
        first = person.path.split("/")[2]
        now.shift(timedelta(minutes=59))
        person.sign_in(identifier, NEW_PASSWORD if "@" in identifier else PASSWORD)
        assert person.path.split("/")[2] != first
        assert person.step in {"second-factor", "email"}
        now.shift(timedelta(minutes=1))
        person.get(person.path)
        assert (person.step, person.page.status) == ("error", 410)


def test_the_hash_of_the_old_password_is_kept_no_longer_than_it_is_compared_with(person):
    person.authorize().to_profile("jeanne", PASSWORD, ADDRESS)

    def kept():
        return db.session.query(Interaction.legacy_password_hash).scalar()

    assert check_password(kept(), PASSWORD).right
    person.finish()
    assert person.step == "done"
    assert kept() is None


def test_whoever_starts_over_leaves_no_hash_of_the_old_password(person):
    person.authorize().to_profile("jeanne", PASSWORD, ADDRESS)
    person.post(f"/interaction/{person.path.split('/')[2]}/start-over")
    assert db.session.query(Interaction.legacy_password_hash).scalar() is None
