"""Every refused sign-in has a reference on its page, which leads the operator to the reason."""

import re
import sqlite3
from pathlib import Path

import pytest

from idp.audit import search
from idp.audit.search import Sought
from idp.extensions import db
from idp.migration.models import MigrationCase
from idp.security import readable
from tests.support.accounts import ADDRESS, make_account
from tests.support.alike import without_random
from tests.support.journey import NEW_PASSWORD
from tests.support.people import LOCKED, MUST_CHANGE, PASSWORD

REFERENCE = re.compile(r"Numéro de référence, pour l’assistance : (\w{4}-\w{4})")


def events(person):
    found = REFERENCE.search(person.page.text)
    assert found, person.page.text
    db.session.rollback()
    return search.newest(Sought(reference=found[1]), 10)


@pytest.fixture
def unreadable(sources):
    """Anna's hash is of no scheme that anybody knows."""
    file = Path(sources).parent / "portail.db"

    def write(password):
        with sqlite3.connect(file) as store:
            (before,) = store.execute("SELECT password FROM users WHERE login = 'anna'").fetchone()
            store.execute("UPDATE users SET password = ? WHERE login = 'anna'", (password,))
        store.close()
        return before

    before = write("$unknown$7$x")
    yield
    write(before)


@pytest.mark.parametrize(
    ("identifier", "password", "reason", "why"),
    [
        (ADDRESS, "wrong", "wrong", "wrong password"),
        ("nobody@example.ch", "wrong", "wrong", "no old system knows it"),
        ("jeanne", "wrong", "wrong", "wrong old password"),
        ("jeanne", "", "wrong", "no password"),
        (LOCKED, PASSWORD, "locked", None),
        (MUST_CHANGE, PASSWORD, "must-change", None),
    ],
)
def test_the_reference_leads_to_the_reason(person, identifier, password, reason, why):
    make_account()
    person.authorize().sign_in(identifier, password)
    (event,) = events(person)
    told = event["details"]
    assert (event["event"], told["reason"], told.get("why")) == ("sign_in_failed", reason, why)


@pytest.mark.usefixtures("unreadable")
def test_a_hash_that_nobody_can_read_is_told_to_the_operator_only(person, another):
    person.authorize().sign_in("anna", PASSWORD)
    other = another().authorize().sign_in("nobody", PASSWORD)
    bare = [
        without_random(one.page.source).replace(name, "")
        for one, name in ((person, "anna"), (other, "nobody"))
    ]
    assert bare[0] == bare[1]
    (event,) = events(person)
    assert event["details"]["why"].startswith("portail:5: ")
    assert PASSWORD not in str(event)
    assert "$unknown" not in person.page.source


def test_it_is_the_same_however_often_somebody_tries_and_there_when_nothing_is_looked_at(person):
    person.authorize()
    for _ in range(7):
        person.sign_in("nobody", "wrong")
    assert person.page.status == 429
    reasons = [event["details"]["reason"] for event in events(person)]
    assert sorted(reasons) == ["throttled"] + ["wrong"] * 5


def test_two_sign_ins_have_two_and_neither_leads_to_the_page(person, another):
    pages = [one.authorize().sign_in("nobody", "wrong") for one in (person, another())]
    found = {REFERENCE.search(one.page.text)[1] for one in pages}
    assert len(found) == 2
    assert readable.reference_of(person.path.split("/")[2]) in found


def test_a_page_without_a_refusal_shows_none(person):
    assert REFERENCE.search(person.authorize().page.text) is None


def test_wrong_codes_have_it_too_and_a_case_its_own(person, another):
    make_account()
    person.authorize().sign_in(ADDRESS, NEW_PASSWORD).press("Vérifier le code", code="000000")
    (event,) = events(person)
    assert (event["event"], event["details"]["reason"]) == ("code_refused", "wrong")
    migrating = another().authorize().sign_in("jeanne", PASSWORD)
    migrating.press("Recevoir le code", email="new@example.ch")
    migrating.press("Vérifier le code", code="000000")
    reference = db.session.query(MigrationCase).one().reference
    assert reference in migrating.page.text
    assert REFERENCE.search(migrating.page.text) is None
    kinds = [one["event"] for one in search.newest(Sought(reference=reference), 10)]
    assert kinds == ["code_refused", "case_opened"]
