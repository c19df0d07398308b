"""What old systems hold, and what is left of it afterwards."""

import sqlite3
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import update

from idp import clock
from idp.accounts.account import Account
from idp.extensions import db, transaction
from idp.legacy.identity import LegacyIdentity
from idp.migration.models import MigrationCase
from tests.support.accounts import make_account
from tests.support.journey import NEW_PASSWORD, Person
from tests.support.people import PASSWORD


@pytest.fixture
def old_value(sources):
    """Change a column of somebody's old row, for one test."""
    undo = []

    def change(login, column, value):
        with sqlite3.connect(sources.parent / "portail.db") as store:
            was = store.execute(f"SELECT {column} FROM users WHERE login = ?", (login,)).fetchone()
            undo.append((login, column, was[0]))
            store.execute(f"UPDATE users SET {column} = ? WHERE login = ?", (value, login))
        store.close()

    yield change
    while undo:
        login, column, value = undo.pop()
        change(login, column, value)
        undo.pop()


@pytest.mark.parametrize("column", ["first_name", "last_name", "street", "zip", "city"])
def test_an_old_field_of_any_length_migrates(person, old_value, column):
    old_value("anna", column, "x" * 2000)
    person.authorize().migrate("anna", PASSWORD, "anna@example.ch")
    assert person.step == "done"


def test_a_completed_case_keeps_no_choice(person):
    person.authorize().migrate("luc", PASSWORD, "luc@example.ch", phone="079 123 45 67")
    case = db.session.query(MigrationCase).one()
    assert (case.email, case.phone, case.profile) == (None, None, {})
    assert db.session.query(Account).one().given_name == "Luc"


def test_a_number_refused_on_another_device_is_not_stored(person, app, inbox, portal):
    person.authorize().to_profile("rosa", PASSWORD, "rosa@example.ch", phone="079 123 45 67")
    assert "+41 79 123 45 67" in person.page.text
    other = Person(app, inbox, portal).authorize()
    other.to_profile("rosa", PASSWORD, "rosa@example.ch")
    other.press("Donner un numéro de téléphone")
    other.press("Je ne souhaite pas donner mon numéro de téléphone")
    person.get(person.path)
    assert "+41 79 123 45 67" not in person.page.text
    person.finish()
    assert person.step == "done"
    assert db.session.query(Account).one().phone is None


def test_an_identity_whose_case_was_purged_opens_a_new_one(person):
    person.authorize().sign_in("paul", PASSWORD)
    with transaction():
        db.session.query(MigrationCase).delete()
    assert person.authorize().sign_in("paul", PASSWORD).step == "email"
    assert db.session.query(LegacyIdentity).count() == 1


def test_a_code_that_may_not_be_sent_to_the_next_person_in_the_same_page_is_told(person):
    """After a migration somebody else signs in: a fresh interaction, which says why no code comes."""
    make_account("other@example.ch")
    start = clock.now()
    with time_machine.travel(start, tick=False) as now:
        for _ in range(5):
            person.authorize(prompt="login").sign_in("other@example.ch", NEW_PASSWORD)
            now.shift(timedelta(seconds=1))
        person.authorize(prompt="login").migrate("jeanne", PASSWORD, "jeanne@example.ch")
        person.press("Se connecter à e-services").sign_in("other@example.ch", NEW_PASSWORD)
        assert person.step == "second-factor"
        assert "aucun nouveau code n’est parti" in person.page.text


def test_a_frozen_account_is_no_reason_to_ask_the_old_system(person):
    make_account("jeanne@example.ch")
    with transaction():
        db.session.execute(update(Account).values(status="frozen"))
    person.authorize().sign_in("jeanne@example.ch", PASSWORD)
    assert person.step == "sign-in"
