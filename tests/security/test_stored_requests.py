"""Whoever has shown nothing yet can make us keep so much, and no more."""

from urllib.parse import parse_qsl

import pytest
import time_machine

from idp.extensions import db
from idp.flow.interaction import Interaction
from tests.support.accounts import ADDRESS, make_account
from tests.support.journey import ISSUER, NEW_PASSWORD, Person
from tests.support.settings import override

START = "2026-01-01T12:00:00Z"


@pytest.fixture
def come(app, inbox, portal):
    """Makes a browser at an address come from the relying party."""

    def at(address, person=None):
        person = person or Person(app, inbox, portal)
        person.browser.environ_base["REMOTE_ADDR"] = address
        return person.authorize()

    with override(app, interactions_per_network=5):
        yield at


def stored():
    return db.session.query(Interaction).count()


def test_a_network_stores_so_many_requests_in_ten_minutes(come):
    with time_machine.travel(START, tick=False) as now:
        for number in range(5):
            assert come(f"192.0.2.{number}").step == "sign-in"
        refused = come("192.0.2.99")
        assert (refused.step, refused.page.status) == ("error", 429)
        assert "Trop de connexions ont été commencées" in refused.page.text
        assert stored() == 5
        assert come("192.0.3.1").step == "sign-in", "another network is not concerned"
        now.shift(600)
        assert come("192.0.2.99").step == "sign-in"


def test_posted_requests_are_counted_with_the_others(app, come):
    come("192.0.2.1")
    for _ in range(6):
        person = come("192.0.3.1")
    path, _, query = person.authorize_path().partition("?")
    browser = app.test_client()
    address = {"REMOTE_ADDR": "192.0.2.2"}
    answers = [
        browser.post(path, data=dict(parse_qsl(query)), base_url=ISSUER, environ_base=address)
        for _ in range(5)
    ]
    assert [answer.status_code for answer in answers] == [303] * 4 + [429]


def test_neither_refused_requests_nor_sessions_use_anything_up(app, come):
    make_account()
    person = come("192.0.2.1")
    person.two_factors(ADDRESS)
    for _ in range(10):
        assert come("192.0.2.1", person).step == "callback"
        person.authorize(prompt="none")
        person.authorize(code_challenge_method="plain")
        person.authorize(redirect_uri="https://evil.example/")
    assert stored() == 1
    assert come("192.0.2.2").step == "sign-in"


@pytest.mark.parametrize("path", ["/account", "/account/email", "/account/password"])
def test_looking_for_the_pages_of_an_account_is_counted_with_them(app, come, path):
    come("192.0.2.1")
    address = {"REMOTE_ADDR": "192.0.2.2"}
    answers = [app.test_client().get(path, base_url=ISSUER, environ_base=address) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [303] * 4 + [429] * 2
    assert stored() == 5


def test_a_person_who_changed_something_is_not_counted_as_a_newcomer(app, come):
    make_account()
    person = come("192.0.2.1")
    person.two_factors(ADDRESS)
    for number in range(2, 6):
        come(f"192.0.2.{number}")
    assert come("192.0.2.6").step == "error"
    chosen = "quatre gros hiboux gris"
    person.get("/account/password").press(
        "Enregistrer le mot de passe", present=NEW_PASSWORD, password=chosen, confirmation=chosen
    )
    assert person.step == "sign-in"
