"""The old system never learns what is not its own, and is not asked in vain."""

import sqlite3
from datetime import timedelta
from hashlib import md5

import pytest
import time_machine

from idp import clock
from idp.legacy import registry
from idp.legacy.source import SourceOptions, Unavailable
from idp.legacy.sql import SqlOptions, SqlSource
from tests.support.accounts import ADDRESS, make_account
from tests.support.journey import Person
from tests.support.people import PASSWORD


@pytest.fixture
def asked(monkeypatch):
    """Every (identifier, password) that any old system was asked about."""
    calls = []
    ask = registry.ask

    def spy(identifier, password, *rest):
        calls.append((identifier, password))
        return ask(identifier, password, *rest)

    monkeypatch.setattr(registry, "ask", spy)
    return calls


@pytest.fixture
def lenient(app, tmp_path):
    """An old system to which `00jeanne` is `jeanne`, as others take accents, case or blanks for nothing."""
    query = "SELECT * FROM people WHERE login = ltrim(:identifier, '0')"
    with sqlite3.connect(tmp_path / "old.db") as store:
        store.execute("CREATE TABLE people (login TEXT, pw TEXT)")
        store.execute(
            "INSERT INTO people VALUES ('jeanne', ?)", (md5(PASSWORD.encode()).hexdigest(),)
        )
    store.close()
    columns = {"key": "login", "password_hash": "pw"}
    source = SqlSource(
        SqlOptions(
            name="old",
            url=f"sqlite:///{tmp_path}/old.db",
            query=query,
            columns=columns,
            hash="md5-salted",
        )
    )
    kept = app.extensions["seuil.legacy"]
    app.extensions["seuil.legacy"] = registry.Sources([source])
    yield
    app.extensions["seuil.legacy"] = kept
    source.close()


def spelt(number):
    """One of many names for the same row."""
    return f"{'0' * number}jeanne"


@pytest.mark.usefixtures("lenient")
def test_a_row_is_guessed_at_five_times_however_it_is_spelt(person):
    """Not even the right password goes through then, and nothing tells that there is such a row."""
    person.authorize()
    for number in range(5):
        person.sign_in(spelt(number), "wrong")
        assert person.page.status == 422
    person.sign_in(spelt(5), PASSWORD)
    assert (person.step, person.page.status) == ("sign-in", 422)
    assert "Identifiant ou mot de passe incorrect" in person.page.text


@pytest.mark.usefixtures("lenient")
def test_a_row_is_guessed_at_ten_times_a_quarter_of_an_hour_from_wherever(app, inbox, portal):
    def at(number):
        person = Person(app, inbox, portal)
        person.browser.environ_base["REMOTE_ADDR"] = f"192.0.{number}.1"
        return person.authorize()

    for number in range(10):
        assert at(number).sign_in(spelt(number), "wrong").page.status == 422
    assert at(20).sign_in(spelt(20), PASSWORD).step == "sign-in"
    with time_machine.travel(clock.now() + timedelta(minutes=15), tick=True):
        assert at(20).sign_in(spelt(21), PASSWORD).step == "email"


@pytest.mark.usefixtures("lenient")
def test_tries_around_the_end_of_the_quarter_hour_are_no_more_than_ten_either(app, inbox, portal):
    """Old systems that lock a row count in a window of their own."""

    def at(number):
        person = Person(app, inbox, portal)
        person.browser.environ_base["REMOTE_ADDR"] = f"192.0.{number}.1"
        return person.authorize()

    with time_machine.travel(clock.now(), tick=False) as now:
        at(1).sign_in("jeanne", "wrong")
        now.shift(timedelta(minutes=14, seconds=59))
        for number in range(2, 20):
            at(number).sign_in("jeanne", "wrong")
        assert at(20).sign_in("jeanne", PASSWORD).step == "sign-in"
        now.shift(timedelta(seconds=1))
        assert at(21).sign_in("jeanne", PASSWORD).step == "sign-in"
        now.shift(timedelta(minutes=15))
        assert at(22).sign_in("jeanne", PASSWORD).step == "email"


@pytest.mark.usefixtures("lenient")
def test_a_right_password_gives_the_tries_at_the_row_back(person):
    person.authorize()
    for _round in range(2):
        for number in range(4):
            person.sign_in(spelt(number), "wrong")
        assert person.sign_in("jeanne", PASSWORD).step == "email"
        person.press("Ce n’est pas vous ? Changer d’identifiant")


class Slow:
    """A source that is waited for in vain."""

    options = SourceOptions(name="slow", type="fixed")

    def __init__(self):
        self.waited_for = 0

    def authenticate(self, *_asked):
        self.waited_for += 1
        return Unavailable()

    def problem(self):
        self.waited_for += 1
        return "does not answer"


def test_a_silent_source_is_waited_for_by_everybody_alike(app, person):
    """Otherwise the wait would tell whose identifier the old system is asked about."""
    make_account()
    slow = Slow()
    kept = app.extensions["seuil.legacy"]
    app.extensions["seuil.legacy"] = registry.Sources([slow])
    try:
        with time_machine.travel(clock.now(), tick=False) as now:
            person.authorize().sign_in("somebody", "wrong")
            for identifier in ("nobody", "jeanne", ADDRESS) * 2:
                waited = slow.waited_for
                now.shift(6)
                person.sign_in(identifier, "wrong")
                assert slow.waited_for == waited + 1, "one look, whoever it is"
                person.sign_in(identifier, "wrong")
                assert slow.waited_for == waited + 1, "and none soon after"
    finally:
        app.extensions["seuil.legacy"] = kept


@pytest.mark.parametrize(
    "typed", [ADDRESS, ADDRESS.upper(), f" {ADDRESS} ", "jeanne@EXAMPLE.CH", "ｊeanne@example.ch"]
)
def test_an_accounts_address_is_never_asked_about_whatever_the_password(person, asked, typed):
    make_account()
    person.authorize().sign_in(typed, "mistyped new password")
    assert person.page.status == 422
    assert asked == []


def test_a_blocked_try_asks_nobody(person, asked):
    person.authorize()
    for _ in range(7):
        person.sign_in("paul", "wrong")
    assert person.page.status == 429
    assert len(asked) == 5


def test_the_new_password_is_never_sent_to_the_old_system(person, asked):
    person.authorize().migrate("jeanne", PASSWORD, ADDRESS)
    person.press("Se connecter à e-services").two_factors(ADDRESS)
    assert asked == [("jeanne", PASSWORD)]


def test_an_empty_password_is_never_asked_about(person, asked):
    person.authorize().sign_in("jeanne", "")
    assert person.page.status == 422
    assert all(password for _identifier, password in asked)
