"""Taking stock of old rows: every problem is counted, and told with its key."""

import hashlib

import bcrypt
import pytest

from idp.accounts.profile import Profile
from idp.legacy.recurring import Recurring
from idp.legacy.rows import Row
from idp.legacy.source import Person
from idp.legacy.survey import Measure, take

MEASURE = Measure("auto", case_sensitive=False, region="CH", countries=("CH",))
BCRYPT = bcrypt.hashpw(b"x", bcrypt.gensalt(4)).decode()


def row(key, password_hash=BCRYPT, scheme="", name="", salt="", **values):
    profile = Profile(given_name=name)
    return Row(
        Person(**{"key": key, "identifier": f"u{key}", "profile": profile, **values}),
        password_hash=password_hash,
        salt=salt,
        scheme=scheme,
    )


def survey(*rows, measure=MEASURE):
    told = []
    *_before, taken = take(rows, measure, lambda *detail: told.append(detail))
    return taken, told


def test_nothing_is_wrong_with_an_empty_store_or_a_sound_one():
    assert survey()[0].rows == 0
    taken, told = survey(row("1"), row("2", email="a@example.ch", phone="079 123 45 67"))
    assert (taken.rows, taken.sound, told) == (2, True, [])
    assert taken.hashes == {"bcrypt": 2}
    assert taken.phones == {"usable": 1}


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        (row(""), "no key"),
        (row("k" * 256), "key too long"),
        (row("1", identifier="  "), "no identifier"),
        (row("1", ""), "no password hash"),
        (row("1", "plain text"), "unsupported hash"),
        (row("1", scheme="rot13"), "unsupported hash"),
        (row("1", password_hash="zzz", scheme="md5-salted"), "unsupported hash"),
        (row("1", password_hash="0" * 31, scheme="md5-salted"), "unsupported hash"),
        (row("1", password_hash="0" * 40, scheme="hex_md5"), "unsupported hash"),
        (row("1", scheme="sha512_crypt"), "unsupported hash"),
        (row("1", scheme="joomla"), "unsupported hash"),
        (row("1", email="nobody"), "invalid address"),
        (row("1", phone="12"), "invalid phone"),
    ],
)
def test_each_problem_is_counted_and_told(bad, problem):
    taken, told = survey(row("good"), bad)
    assert taken.problems == {problem: 1}
    assert told == [(problem, bad.person.key, None)]
    assert not taken.sound


def test_twins_are_found_however_far_apart_and_told_together():
    rows = [row("7", identifier="Anna"), *(row(f"x{n}") for n in range(5000))]
    taken, told = survey(*rows, row("8", identifier="ANNA "), row("7"))
    assert taken.problems == {"identifier twice": 2, "key twice": 2}
    keys, names = told[:2], told[2:]
    assert [(what, key) for what, key, _number in keys] == [("key twice", "7")] * 2
    assert [(what, key) for what, key, _number in names] == [
        ("identifier twice", "7"),
        ("identifier twice", "8"),
    ]
    assert names[0][2] == names[1][2]


def test_where_case_counts_two_spellings_are_two_people():
    measure = Measure("auto", case_sensitive=True, region="CH", countries=("CH",))
    assert survey(row("1", identifier="A"), row("2", identifier="a"), measure=measure)[0].sound


def test_an_address_of_several_people_is_told_from_one_person_with_two_rows():
    taken, told = survey(
        row("1", email="Family@Example.ch", name="Anna"),
        row("2", email="family@example.ch", name="Luc"),
        row("3", email="family@EXAMPLE.ch", name="Luc"),
        row("4", email="rosa@example.ch", name="Rosa"),
        row("5", email="rosa@example.ch", name="rosa"),
        row("6", email="office@example.ch"),
        row("7", email="office@example.ch"),
    )
    assert taken.problems == {"shared address": 5, "one person twice": 2}
    assert taken.shared == {2: 2}
    assert {key for what, key, _ in told if what == "one person twice"} == {"4", "5"}


def test_schemes_with_a_salt_of_their_own_are_named():
    digest = hashlib.md5(b"x").hexdigest()
    taken, _ = survey(row("1", digest, "md5-salted"), row("2", "{SHA}nonsense"), row("3", digest))
    assert taken.hashes["md5-salted"] == 1
    assert taken.hashes["unsupported"] == 1


def test_what_has_to_be_named_is_told_what_it_could_be():
    digest = hashlib.md5(b"x").hexdigest()
    taken, _ = survey(
        row("1", digest), row("2", digest, salt="x"), row("3", "zzz"), row("4", f"{digest}:x")
    )
    alike = next(name for name in taken.could_be if "hex_md5" in name)
    assert set(alike.split(", ")) >= {"hex_md4", "hex_md5", "nthash"}
    assert taken.could_be == {alike: 1, "md5-salted": 1}


def test_what_is_missing_is_counted_but_no_problem():
    taken, _ = survey(row("1", name="Anna"), row("2"))
    assert taken.missing["email"] == taken.missing["birthdate"] == 2
    assert taken.missing["given_name"] == 1
    assert taken.sound


def test_locked_and_must_change_are_counted():
    taken, _ = survey(row("1", locked=True), row("2", must_change=True), row("3", locked=True))
    assert (taken.locked, taken.must_change) == (2, 1)


def test_lone_surrogates_are_values_like_others():
    with Recurring() as recurring:
        recurring.see("key", "\ud800", key="1")
        assert list(recurring.found("key")) == []
