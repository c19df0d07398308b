"""People of an old system that was switched off: its rows were loaded ahead."""

import hashlib

import pytest
from sqlalchemy import select

from idp.extensions import db, transaction
from idp.legacy import batches, registry
from idp.legacy.batches import Tally
from idp.legacy.copies import ERASED, LegacyRow
from idp.legacy.entries import Reading, entry
from idp.legacy.files import Record
from idp.legacy.imported import ImportedOptions, ImportedSource
from tests.support.journey import NEW_PASSWORD
from tests.support.people import PASSWORD

ADDRESS = "jeanne@example.ch"
READING = Reading({})


@pytest.fixture(autouse=True)
def copy(app):
    """Jeanne's row, and nothing else."""
    row = {
        "key": "17",
        "identifier": "Jeanne",
        "email": "old@example.ch",
        "given_name": "Jeanne",
        "password_hash": hashlib.md5(PASSWORD.encode()).hexdigest(),
        "family_name": "Favre",
    }
    made = entry(Record(2, row), READING, READING.wanted)
    with transaction():
        batches.store("old", 1, batches.sort("old", 1, [made], Tally()))
    kept = app.extensions["seuil.legacy"]
    source = ImportedSource(ImportedOptions(name="old", hash="md5-salted"))
    app.extensions["seuil.legacy"] = registry.Sources([source])
    yield
    app.extensions["seuil.legacy"] = kept


def stored():
    db.session.expire_all()
    return db.session.scalar(select(LegacyRow))


def test_a_person_comes_with_the_old_password_and_leaves_nothing_in_the_copy(person):
    person.authorize().migrate("jeanne", PASSWORD, ADDRESS)
    row = stored()
    assert {name: getattr(row, name) for name in ERASED} == ERASED
    assert row.identifier == "Jeanne"
    person.press("Se connecter à e-services").two_factors(ADDRESS, NEW_PASSWORD)
    assert person.callback


def test_nothing_is_erased_before_the_account_is_there(person):
    person.authorize().sign_in("jeanne", PASSWORD)
    assert person.step == "email"
    assert stored().password_hash


def test_the_old_password_opens_nothing_afterwards(person, another):
    person.authorize().migrate("jeanne", PASSWORD, ADDRESS)
    late = another().authorize().sign_in("jeanne", PASSWORD)
    assert (late.step, late.page.status) == ("sign-in", 422)
