"""Neither a planted session nor a planted sign-in: session fixation and login CSRF."""

import pytest

from idp.extensions import db
from idp.security import tokens
from idp.sessions.models import BrowserSession
from tests.support.accounts import ADDRESS, make_account
from tests.support.journey import ISSUER, NEW_PASSWORD, Person

PLANTED = "A" * 43


def cookie(person, name):
    found = person.browser.get_cookie(name, domain="localhost")
    return found.value if found else None


@pytest.fixture
def attacker(app, inbox, portal):
    """Has an account and a browser of their own."""
    make_account("attacker@example.ch")
    return Person(app, inbox, portal)


def test_a_planted_session_name_is_never_adopted(person):
    make_account()
    person.browser.set_cookie("seuil-session", PLANTED, domain="localhost")
    person.authorize().two_factors(ADDRESS)
    assert cookie(person, "seuil-session") != PLANTED
    planted = db.session.query(BrowserSession).filter_by(token=tokens.digest(PLANTED))
    assert planted.count() == 0


def test_each_sign_in_has_a_new_name_and_the_old_one_is_dead(person):
    make_account()
    person.authorize().two_factors(ADDRESS)
    before = cookie(person, "seuil-session")
    person.authorize(prompt="login").two_factors(ADDRESS)
    assert cookie(person, "seuil-session") != before
    thief = Person(person.app, person.inbox, person.client)
    thief.browser.set_cookie("seuil-session", before, domain="localhost")
    assert thief.authorize(prompt="none").callback["error"] == "login_required"


def test_a_stolen_session_is_worth_nothing_once_its_owner_has_signed_out(person, attacker):
    make_account()
    person.authorize().two_factors(ADDRESS)
    attacker.browser.set_cookie(
        "seuil-session", cookie(person, "seuil-session"), domain="localhost"
    )
    assert "code" in attacker.authorize(prompt="none").callback
    person.get("/logout").press("Se déconnecter")
    assert attacker.authorize(prompt="none").callback["error"] == "login_required"


def test_a_planted_browser_cookie_does_not_share_the_session(person, attacker):
    """Whoever plants their own browser's cookie still lacks what the second factor gave."""
    make_account()
    attacker.authorize()
    planted = cookie(attacker, "seuil-browser")
    person.browser.set_cookie("seuil-browser", planted, domain="localhost")
    person.authorize()
    path = person.path
    person.two_factors(ADDRESS)
    assert person.step == "callback"
    attacker.get(path)
    assert attacker.callback is None
    attacker.get(f"/authorize/{path.split('/')[2]}")
    assert attacker.callback is None
    assert attacker.authorize(prompt="none").callback["error"] == "login_required"


def test_the_attackers_half_done_sign_in_opens_in_no_other_browser(person, attacker):
    attacker.authorize().sign_in("attacker@example.ch", NEW_PASSWORD)
    assert attacker.step == "second-factor"
    person.get(attacker.path)
    assert (person.step, person.page.status) == ("error", 400)
    interaction = attacker.path.split("/")[2]
    attacker.press("Vérifier le code", code=attacker.code())
    person.get(f"/authorize/{interaction}")
    assert (person.step, person.callback) == ("error", None)
    assert cookie(person, "seuil-session") is None


@pytest.mark.parametrize("token", ["", "junk"])
def test_a_sign_in_form_posted_from_elsewhere_signs_nobody_in(person, attacker, token):
    """The victim's browser posts the attacker's credentials into an interaction of its own."""
    person.authorize()
    fields = {"identifier": "attacker@example.ch", "password": NEW_PASSWORD, "csrf_token": token}
    answer = person.browser.post(person.path, data=fields, base_url=ISSUER)
    assert answer.status_code == 400
    assert person.get(person.path).step == "sign-in"


def test_the_attackers_form_token_is_worth_nothing_in_the_victims_browser(person, attacker):
    attacker.authorize()
    stolen = attacker.page.forms[0].fields["csrf_token"]
    person.authorize()
    fields = {"identifier": "attacker@example.ch", "password": NEW_PASSWORD, "csrf_token": stolen}
    answer = person.browser.post(person.path, data=fields, base_url=ISSUER)
    assert answer.status_code == 400


def test_a_migration_ends_in_no_session(person):
    person.authorize().migrate("jeanne", "Edelweiss-1291", ADDRESS)
    assert person.step == "done"
    assert cookie(person, "seuil-session") is None
    assert person.authorize(prompt="none").callback["error"] == "login_required"
