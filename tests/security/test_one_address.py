"""Many claim one address, or one identity, at the same moment: exactly one gets it."""

import unicodedata
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import delete

from idp.accounts.account import Account
from idp.extensions import db, transaction
from idp.legacy.identity import LegacyIdentity
from idp.migration.models import MigrationCase
from tests.support.accounts import ADDRESS, make_account
from tests.support.journey import NEW_PASSWORD, Person
from tests.support.people import PASSWORD

ACCENTED = "hélène@example.ch"
LOGINS = ("jeanne", "paul", "rosa", "luc")
SPELLINGS = {
    "case and space": (ADDRESS, ADDRESS.upper(), f" {ADDRESS} ", "Jeanne@EXAMPLE.ch"),
    "accents composed and not": (
        ACCENTED,
        unicodedata.normalize("NFD", ACCENTED),
        ACCENTED.upper(),
        unicodedata.normalize("NFD", ACCENTED.upper()),
    ),
    "a domain in both its forms": (
        *("moi@bücher.example", "moi@xn--bcher-kva.example"),
        *("MOI@BÜCHER.example", "moi@XN--BCHER-KVA.example"),
    ),
    "full width": (ADDRESS, "ｊeanne@example.ch", "jeanne@ｅxample.ch", "JEANNE@example。ch"),
}


@pytest.fixture
def another(app, inbox, portal):
    return lambda: Person(app, inbox, portal).authorize()


def finish_together(people):
    """Press the last button at the same moment."""
    with ThreadPoolExecutor(len(people)) as pool:
        list(pool.map(Person.finish, people))


@pytest.mark.parametrize("spellings", SPELLINGS.values(), ids=SPELLINGS)
def test_whoever_finishes_with_one_address_at_once_is_one_account(another, spellings):
    people = [
        another().to_profile(login, PASSWORD, address)
        for login, address in zip(LOGINS, spellings, strict=True)
    ]
    finish_together(people)
    assert db.session.query(Account).count() == 1
    assert sorted(person.step for person in people) == ["done", "email", "email", "email"]
    loser = next(person for person in people if person.step == "email")
    assert "déjà l’identifiant d’un compte" in loser.page.text
    loser.give_email("free@example.ch").finish()
    assert loser.step == "done", "and nothing else was lost"


@pytest.mark.parametrize("spelling", SPELLINGS["full width"])
def test_an_account_is_found_under_every_spelling_and_mail_goes_to_the_stored_one(
    person, inbox, spelling
):
    make_account(ADDRESS)
    person.authorize().sign_in(spelling, NEW_PASSWORD)
    assert person.step == "second-factor"
    person.press("Vérifier le code", code=person.code(ADDRESS))
    assert person.step == "callback"
    assert {message.to for message in inbox.messages} == {ADDRESS}


def test_one_person_who_finishes_on_many_devices_at_once_is_one_account(another):
    people = [another().to_profile("jeanne", PASSWORD, ADDRESS) for _ in range(3)]
    finish_together(people)
    assert db.session.query(Account).count() == 1
    claims = db.session.query(LegacyIdentity.account_id).all()
    assert len([claim for (claim,) in claims if claim]) == 1
    assert sorted(person.step for person in people) == ["done", "sign-in", "sign-in"]
    loser = next(person for person in people if person.step == "sign-in")
    assert "vient d’être terminée" in loser.page.text


def test_first_sign_ins_at_once_open_one_case_even_after_a_purge(another):
    another().sign_in("jeanne", PASSWORD)
    for _round in range(4):
        with transaction():
            db.session.execute(delete(MigrationCase))
        people = [another() for _ in range(4)]
        with ThreadPoolExecutor(len(people)) as pool:
            list(pool.map(lambda person: person.sign_in("jeanne", PASSWORD), people))
        assert {person.step for person in people} == {"email"}, [p.page.text for p in people]
        assert db.session.query(MigrationCase).count() == 1


def test_whoever_chooses_last_decides_the_address(another):
    first = another().to_profile("jeanne", PASSWORD, "first@example.ch")
    second = another().to_profile("jeanne", PASSWORD, "second@example.ch")
    finish_together([first])
    assert first.step == "email", "the choice is no longer the one proven here"
    finish_together([second])
    assert second.step == "done"


def test_one_browser_that_presses_twice_at_once_gives_one_account_and_no_error(person):
    person.authorize().to_profile("jeanne", PASSWORD, ADDRESS)
    fields = {"password": NEW_PASSWORD, "confirmation": NEW_PASSWORD}
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: person.post(person.path, **fields), range(4)))
    assert {answer.status_code for answer in answers} == {303}
    assert db.session.query(Account).count() == 1
    assert person.get(person.path).step == "done"
