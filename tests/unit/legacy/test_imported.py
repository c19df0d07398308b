"""A copy of an old store: it answers as the store would, and forgets people who have come."""

import hashlib

import pytest
from sqlalchemy import select, text

from idp.extensions import db, transaction
from idp.legacy import batches, copies, identity
from idp.legacy.batches import Tally
from idp.legacy.copies import LegacyRow
from idp.legacy.entries import Reading, entry
from idp.legacy.files import Fault, Record
from idp.legacy.imported import ImportedOptions, ImportedSource
from idp.legacy.source import Claimed, Match, Mismatch, Unavailable, Unknown, Unsupported
from tests.support.accounts import make_account

PASSWORD = "secret"
HASH = hashlib.md5(PASSWORD.encode()).hexdigest()
READING = Reading({"group": "group"})


def loaded(*people, source="old", number=1):
    rows = [read(**{"password_hash": HASH, **person}) for person in people]
    with transaction():
        batches.store(source, number, batches.sort(source, number, rows, Tally()))


def read(line=2, **values):
    made = entry(Record(line, values), READING, READING.wanted)
    assert not isinstance(made, Fault), made
    return made


def source(**options):
    return ImportedSource(ImportedOptions(**{"name": "old", "hash": "md5-salted", **options}))


def ask(store, identifier, password=PASSWORD, admitted=None):
    return store.authenticate(identifier, password, lambda _key: admitted)


def stored(key="1"):
    db.session.expire_all()
    return db.session.scalar(select(LegacyRow).where(LegacyRow.key == key))


def claim(key="1"):
    account = make_account()
    with transaction():
        identity.claim(identity.meet("old", key).id, account)


def test_a_right_password_brings_all_that_was_loaded(app):
    loaded(
        {
            "key": "1",
            "identifier": "Jeanne",
            "email": "j@old.example",
            "phone": "079",
            "given_name": "Jeanne",
            "birthdate": "1950-03-14",
            "group": "lac",
            "locked": "1",
        }
    )
    answer = ask(source(), "jeanne")
    assert isinstance(answer, Match)
    person = answer.person
    assert (person.key, person.identifier, person.email) == ("1", "Jeanne", "j@old.example")
    assert (person.profile.given_name, str(person.profile.birthdate)) == ("Jeanne", "1950-03-14")
    assert (person.locked, person.must_change, person.attributes) == (True, False, {"group": "lac"})
    assert isinstance(ask(source(), "jeanne", "wrong"), Mismatch)
    assert isinstance(ask(source(), "nobody"), Unknown)
    assert isinstance(ask(source(name="another"), "jeanne"), Unknown)


@pytest.mark.parametrize("typed", ["JEANNE", " jeanne ", "ｊeanne"])
def test_case_is_no_distinction_unless_the_file_of_sources_says_so(app, typed):
    loaded({"key": "1", "identifier": "Jeanne"}, {"key": "2", "identifier": "paul"})
    assert isinstance(ask(source(), typed), Match)
    assert isinstance(ask(source(case_sensitive=True), typed), Unknown)
    assert isinstance(ask(source(case_sensitive=True), " Jeanne"), Match)


def test_two_people_who_differ_by_case_need_the_option(app):
    loaded({"key": "1", "identifier": "Jeanne"}, {"key": "2", "identifier": "jeanne"})
    assert isinstance(ask(source(), "jeanne"), Unsupported)
    answer = ask(source(case_sensitive=True), "jeanne")
    assert isinstance(answer, Match)
    assert answer.person.key == "2"


@pytest.mark.parametrize("typed", ["", "\x00", "\ud800", "x" * 100_000, "ﷺ" * 254])
def test_what_no_row_can_be_called_is_unknown(app, typed):
    assert isinstance(ask(source(), typed), Unknown)


def test_admission_is_asked_before_the_password_is_looked_at(app):
    loaded({"key": "1", "identifier": "jeanne", "password_hash": "no hash at all"})
    assert isinstance(ask(source(), "jeanne", admitted=Claimed()), Claimed)


@pytest.fixture
def unreadable(app):
    def rename(old, new):
        with db.engine.begin() as connection:
            connection.execute(text(f"ALTER TABLE {old} RENAME TO {new}"))

    rename("legacy_row", "hidden")
    yield
    rename("hidden", "legacy_row")


@pytest.mark.usefixtures("unreadable")
def test_a_table_that_cannot_be_read_is_unavailable():
    assert isinstance(ask(source(), "jeanne"), Unavailable)
    assert isinstance(source().find("jeanne"), Unavailable)
    assert "cannot read its rows" in source().problem()


def test_a_copy_is_asked_in_the_middle_of_a_transaction_without_harm(app):
    loaded({"key": "1", "identifier": "jeanne"})
    with transaction():
        met = identity.meet("old", "9")
        assert isinstance(ask(source(), "jeanne"), Match)
        assert source().problem() is None
        assert met in db.session


def test_hash_and_personal_data_are_erased_when_an_account_claims_the_identity(app):
    loaded(
        {
            "key": "1",
            "identifier": "jeanne",
            "salt": "s",
            "email": "j@old.example",
            "phone": "079",
            "given_name": "Jeanne",
            "group": "lac",
            "scheme": "md5-salted",
        },
        {"key": "2", "identifier": "paul"},
    )
    claim()
    row = stored()
    assert {name: getattr(row, name) for name in copies.ERASED} == copies.ERASED
    assert (row.key, row.identifier) == ("1", "jeanne")
    assert row.erased_at is not None
    assert stored("2").password_hash == HASH
    assert [one.person.key for one in source().rows()] == ["2"]


def test_a_refused_claim_erases_nothing(app):
    loaded({"key": "1", "identifier": "jeanne"})
    first, second = make_account("a@example.ch"), make_account("b@example.ch")
    with transaction():
        met = identity.meet("old", "1").id
        identity.claim(met, first)
    loaded({"key": "1", "identifier": "jeanne"}, source="other")
    with transaction():
        assert not identity.claim(met, second)
    assert stored().source in {"old", "other"}
    others = select(LegacyRow.password_hash).where(LegacyRow.source == "other")
    assert db.session.scalar(others) == HASH


def test_a_claimed_row_is_never_filled_again(app):
    loaded({"key": "1", "identifier": "jeanne"})
    claim()
    loaded({"key": "1", "identifier": "jeanne", "email": "new@old.example"}, number=2)
    assert stored().password_hash == stored().email == ""


def test_a_row_that_was_claimed_under_another_type_is_loaded_empty(app):
    """The source was asked as it was before: who came then is known, and needs no copy."""
    claim()
    loaded({"key": "1", "identifier": "jeanne", "email": "j@old.example"})
    assert stored().password_hash == stored().email == ""
    assert stored().erased_at is not None
    assert isinstance(ask(source(), "jeanne", admitted=Claimed()), Claimed)


def test_an_identity_that_was_given_back_is_filled_again(app):
    loaded({"key": "1", "identifier": "jeanne"})
    claim()
    with transaction():
        identity.find("old", "1").account_id = None
    loaded({"key": "1", "identifier": "jeanne"}, number=2)
    assert isinstance(ask(source(), "jeanne"), Match)
    assert stored().erased_at is None


def test_rows_that_did_not_change_are_not_written(app):
    person = {"key": "1", "identifier": "jeanne", "password_hash": HASH}
    loaded(person)
    tally = Tally()
    with transaction():
        found = batches.sort("old", 2, [read(**person)], tally)
    assert (found.put, len(found.seen), tally) == ([], 1, Tally(unchanged=1))


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"identifier": "x"}, "no key"),
        ({"key": "1"}, "no identifier"),
        ({"key": "1", "identifier": "  "}, "no identifier"),
        ({"key": "k" * 256, "identifier": "x"}, "key is longer than 255"),
        ({"key": "1", "identifier": "x" * 255}, "identifier is longer than 254"),
        ({"key": "1", "identifier": "ﷺ" * 100}, "folded"),
        ({"key": "1", "identifier": "x", "email": "a\x00b"}, "email has a NUL"),
        ({"key": "1", "identifier": "x", "group": "\ud800"}, "group has a NUL or half"),
        ({"key": "1", "identifier": "x", "locality": "x" * 1001}, "locality is longer"),
        ({"key": "1", "identifier": "x", "password_hash": "x" * 3000}, "password_hash is longer"),
        ({"key": "1", "identifier": "x", "email": ["a"]}, "email is no text"),
        ({"key": {"a": 1}, "identifier": "x"}, "key is no text"),
    ],
)
def test_what_cannot_be_a_row_is_told_without_its_content(values, why):
    fault = entry(Record(7, values), READING, READING.wanted)
    assert isinstance(fault, Fault)
    assert (fault.line, why in fault.why) == (7, True), fault


def test_dates_are_read_as_the_file_writes_them():
    reading = Reading({}, "%d.%m.%Y")
    made = entry(
        Record(1, {"key": "1", "identifier": "x", "birthdate": "14.3.1950"}),
        reading,
        reading.wanted,
    )
    assert made["profile"] == {"birthdate": "1950-03-14"}
