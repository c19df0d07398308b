"""Wrong passwords are counted per identifier and network, per identifier, per network and over all, and
alike whoever the identifier belongs to (DESIGN 7)."""

import re
import threading
import unicodedata
from datetime import timedelta

import pytest
import time_machine

from idp.accounts import changes
from idp.extensions import db, transaction
from idp.legacy import identity as identities
from idp.legacy import registry
from idp.legacy.source import SourceOptions, Unknown
from idp.security.throttle import Throttle
from idp.security.tokens import digest
from tests.support.accounts import ADDRESS, make_account
from tests.support.journey import NEW_PASSWORD, Person
from tests.support.people import LOCKED, PASSWORD
from tests.support.settings import override
from tests.support.statements import counted

START = "2026-01-01T12:00:00Z"


@pytest.fixture(autouse=True)
def now():
    """No delay ends because the machine is busy."""
    with time_machine.travel(START, tick=False) as now:
        yield now


@pytest.fixture
def somebody(app, inbox, portal):
    """Makes a browser on the sign-in page, at an address."""

    def make(address="192.0.2.1"):
        one = Person(app, inbox, portal)
        one.browser.environ_base["REMOTE_ADDR"] = address
        return one.authorize()

    return make


@pytest.fixture
def everybody(app):
    """One of each kind: identifier and the password that must not let them in."""
    make_account()
    frozen = make_account("gelee@example.ch")
    migrated = make_account("ailleurs@example.ch")
    with transaction():
        changes.freeze(frozen, 1)
        identities.claim(identities.meet("portail", "2").id, migrated)
    return {
        "nobody": ("personne", "wrong"),
        "nobody's address": ("personne@example.ch", "wrong"),
        "an account": (ADDRESS, "wrong"),
        "a frozen account": ("gelee@example.ch", NEW_PASSWORD),
        "an old identifier": ("jeanne", "wrong"),
        "a locked old identifier": (LOCKED, "wrong"),
        "a migrated old identifier": ("paul", PASSWORD),
    }


def test_every_identifier_is_counted_in_the_same_rows_by_the_same_statements(everybody, somebody):
    """Up to where the try is reserved; what is compared afterwards is hidden by the floor."""
    looks = {}
    for kind, (identifier, password) in everybody.items():
        person = somebody()
        with counted() as statements:
            assert person.sign_in(identifier, password).page.status == 422
        reserved = next(n for n, one in enumerate(statements) if "INTO throttle" in one)
        looks[kind] = [re.sub(r"\s+", " ", one) for one in statements[: reserved + 1]]
        assert looks[kind][-1].count("INTO throttle") == 1
    assert len({str(look) for look in looks.values()}) == 1, looks


def test_every_identifier_is_held_up_after_as_many_tries_and_for_as_long(everybody, somebody):
    seen = {}
    for kind, (identifier, password) in everybody.items():
        person = somebody()
        pages = [person.sign_in(identifier, password).page for _ in range(7)]
        seen[kind] = [
            (page.status, re.findall(r"Trop d’essais.*?\.|incorrect", page.text)) for page in pages
        ]
    assert len({str(one) for one in seen.values()}) == 1, seen
    assert [status for status, _text in seen["nobody"]] == [422] * 5 + [429] * 2


SPELLINGS = (
    *(ADDRESS, ADDRESS.upper(), f"  {ADDRESS} ", "ｊeanne@example.ch", "jéanne@example.ch"),
    *(unicodedata.normalize("NFD", "jéanne@example.ch"), "jeann\u0435".replace("\u0435", "e")),
    *(
        "j.eanne@example.ch",
        "jea\u00adnne@example.ch",
        "jea\u200bnne@example.ch",
        "𝐣eanne@example.ch",
    ),
)
OLD = (
    "jeanne",
    "JEANNE",
    "jeanne ",
    " jeanne",
    "jeann\u00e9",
    "jean\u0301ne",
    "jean\u200dne",
    "ⓙeanne",
)


@pytest.mark.parametrize(
    "spellings", [[s for s in SPELLINGS if "@" in s], OLD], ids=["address", "old identifier"]
)
def test_another_spelling_is_no_further_try(app, somebody, spellings):
    """What a database may take for the same text, or a person, counts as the same."""
    make_account()
    person = somebody()
    seen = [person.sign_in(spelling, "wrong").page.status for spelling in spellings]
    assert seen == [422] * 5 + [429] * (len(spellings) - 5)


def test_signs_alone_and_endless_texts_are_counted_too(somebody):
    person = somebody()
    typed = ("***", "???", "...", " ", "\u0301", "-" * 5000, " " * 300 + "jeanne")
    assert [person.sign_in(text, "wrong").page.status for text in typed] == [422] * 5 + [429] * 2


def test_many_networks_have_twenty_tries_at_one_identifier_together(app, somebody):
    make_account()
    seen = [somebody(f"198.51.{n}.1").sign_in(ADDRESS, "wrong").page.status for n in range(24)]
    assert seen == [422] * 20 + [429] * 4


def test_one_network_has_so_many_tries_at_all_identifiers_together(app, somebody):
    with override(app, wrong_passwords_network=12):
        person = somebody()
        seen = [person.sign_in(f"person{n}", "wrong").page.status for n in range(15)]
        assert seen == [422] * 12 + [429] * 3
        assert somebody("192.0.2.200").sign_in("another", "wrong").page.status == 429
        assert somebody("192.0.3.1").sign_in("another", "wrong").page.status == 422


def test_everybody_together_has_so_many_tries(app, somebody):
    with override(app, wrong_passwords_everywhere=12):
        seen = [somebody(f"198.51.{n}.1").sign_in(f"p{n}", "x").page.status for n in range(15)]
    assert seen == [422] * 12 + [429] * 3


def test_the_wait_grows_to_thirty_seconds_and_nobody_is_locked_out(app, somebody, now):
    make_account()
    waits = []
    person = somebody()
    for _ in range(12):
        person.sign_in(ADDRESS, "wrong")
        if person.page.status == 429:
            seconds = int(re.search(r"dans (\d+) seconde", person.page.text)[1])
            waits.append(seconds)
            now.shift(seconds)
            person.sign_in(ADDRESS, "wrong")
    assert waits == [1, 2, 4, 8, 16, 30, 30]
    now.shift(30)
    assert person.sign_in(ADDRESS, NEW_PASSWORD).step == "second-factor"


def test_what_a_network_has_used_up_is_forgotten_after_the_window(app, somebody, now):
    with override(app, wrong_passwords_network=3):
        person = somebody()
        for number in range(4):
            person.sign_in(f"person{number}", "wrong")
        assert person.page.status == 429
        now.shift(timedelta(minutes=10))
        assert [person.sign_in(f"p{n}", "x").page.status for n in range(3)] == [422] * 3


def test_a_right_password_of_ones_own_does_not_hide_wrong_ones_at_others(app, somebody):
    make_account()
    with override(app, wrong_passwords_network=6, wrong_passwords_everywhere=6):
        for number in range(6):
            assert somebody().sign_in(ADDRESS, NEW_PASSWORD).step == "second-factor"
            assert somebody().sign_in(f"victim{number}", "wrong").page.status == 422
        assert somebody().sign_in("victim", "wrong").page.status == 429


def test_right_passwords_leave_no_count_behind(app, somebody):
    make_account()
    for _ in range(3):
        somebody().sign_in(ADDRESS, NEW_PASSWORD)
        somebody().sign_in("jeanne", PASSWORD)
        somebody().sign_in(LOCKED, PASSWORD)
    for key in (
        *(f"password:{word}:192.0.2.0/24" for word in ("jeanne@examplech", "jeanne", LOCKED)),
        *(f"password:{word}" for word in ("jeanne@examplech", "jeanne", LOCKED)),
        *("password-network:192.0.2.0/24", "password-everywhere"),
    ):
        row = db.session.get(Throttle, digest(key))
        assert row is not None, key
        assert row.count == 0, key


class Held:
    """An old system that answers when it is told to."""

    options = SourceOptions(name="held", type="fixed")

    def __init__(self):
        self.asked, self.go = threading.Barrier(3), threading.Event()

    def authenticate(self, *_asked):
        self.asked.wait(10)
        self.go.wait(10)
        return Unknown()

    def problem(self):
        return None


@pytest.fixture
def held(app):
    """Two sign-ins can wait for it; `asked` opens when both do."""
    source, kept = Held(), app.extensions["seuil.legacy"]
    app.extensions["seuil.legacy"] = registry.Sources([source])
    yield source
    app.extensions["seuil.legacy"] = kept


def test_sign_ins_never_hold_more_than_their_share_of_the_threads(app, somebody, held):
    """Beyond it everybody is told at once, alike, before anything is looked at or counted."""
    make_account()
    first, second, third = (somebody(f"198.51.{n}.1") for n in range(3))
    with override(app, sign_in_slots=2):
        waiting = [threading.Thread(target=p.sign_in, args=("x", "y")) for p in (first, second)]
        for thread in waiting:
            thread.start()
        held.asked.wait(10)
        looks = set()
        for identifier, password in (("jeanne", PASSWORD), (ADDRESS, NEW_PASSWORD), ("x", "y")):
            with counted() as statements:
                page = third.sign_in(identifier, password).page
            assert page.status == 503
            assert "Trop de personnes se connectent" in page.text
            assert page.forms[0].fields["identifier"] == identifier
            assert not re.search(r"throttle|FROM account|UPDATE", " ".join(statements))
            looks.add(re.sub(r'value="[^"]*"', "", page.source))
        assert len(looks) == 1
        held.go.set()
        for thread in waiting:
            thread.join()
        assert third.sign_in(ADDRESS, NEW_PASSWORD).step == "second-factor"
