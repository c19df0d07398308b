"""The page that asks for consent cannot be framed, posted from elsewhere, skipped, or answered for another
request, another account or another browser."""

import re

import pytest

from idp.accounts import changes
from idp.accounts.account import Account
from idp.extensions import db, transaction
from idp.grants.consents import Consent
from idp.grants.models import AuthorizationCode
from tests.support.accounts import ADDRESS, make_account
from tests.support.agreeing import NO, YES, agreed, come_from_others
from tests.support.journey import ISSUER, Page
from tests.support.people import PASSWORD

PAUL = "paul@example.ch"


@pytest.fixture
def account(app):
    """Jeanne's; Paul has one too."""
    make_account(PAUL)
    return make_account()


@pytest.fixture
def asked(person, account):
    """Jeanne at the page that asks."""
    come_from_others(person)
    person.authorize(scope="openid email").two_factors(ADDRESS)
    assert person.step == "consent"
    return person


def nothing_was_given():
    db.session.rollback()
    return not (db.session.query(Consent).count() or db.session.query(AuthorizationCode).count())


def in_another_tab(person, **changes):
    """What the same browser does in another tab; the page of this one stays open."""
    page, path = person.page, person.path
    person.authorize(**changes)
    there = person.page, person.path
    person.page, person.path = page, path
    return there


def where(person):
    return person.path.rpartition("/")[0]


def test_it_cannot_be_framed(asked):
    headers = asked.browser.get(asked.path, base_url=ISSUER).headers
    assert headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]


@pytest.mark.parametrize("page", ["consent", "refuse"])
def test_it_cannot_be_posted_from_elsewhere(asked, another, page):
    other = another()
    other.authorize()
    stolen = other.page.forms[0].fields["csrf_token"]
    for fields in ({}, {"csrf_token": "x"}, {"csrf_token": stolen}):
        path = f"{where(asked)}/{page}"
        assert asked.browser.post(path, data=fields, base_url=ISSUER).status_code == 400
    assert nothing_was_given()
    assert asked.get(asked.path).step == "consent"


def test_it_cannot_be_skipped(asked):
    number = where(asked).rpartition("/")[2]
    for path in (f"/authorize/{number}", where(asked), f"{where(asked)}/done"):
        assert asked.get(path).step == "consent"
    for page in ("terms", "second-factor", "profile", "done", "sign-in"):
        assert asked.post(f"{where(asked)}/{page}", version="", code="000000").status_code == 303
    assert nothing_was_given()


def test_another_browser_cannot_answer(asked, another):
    thief = another()
    thief.authorize().two_factors(PAUL)
    for page in ("consent", "refuse"):
        assert thief.browser.get(f"{where(asked)}/{page}", base_url=ISSUER).status_code == 400
    thief.authorize(prompt="login")
    for page in ("consent", "refuse"):
        assert thief.post(f"{where(asked)}/{page}").status_code == 400
    assert db.session.query(Consent).count() == 0
    assert asked.press(YES).callback["code"]


@pytest.mark.parametrize("button", [YES, NO])
def test_another_account_cannot_answer_in_another_tab(asked, account, button):
    """Paul signs in elsewhere in the browser; Jeanne's page is still open, and is answered."""
    paul = in_another_tab(asked, prompt="login", scope="openid email")
    mine = asked.page, asked.path
    asked.page, asked.path = paul
    asked.two_factors(PAUL)
    asked.page, asked.path = mine
    asked.press(button)
    assert asked.step == "consent"
    assert PAUL in asked.page.text
    assert nothing_was_given()
    assert asked.press(YES).callback["code"]
    assert agreed(asked, account) == set()
    assert db.session.query(Consent).count() == 1


def test_what_somebody_answered_does_not_count_for_whoever_comes_next(asked):
    """Jeanne answered `prompt=consent`; Paul, who had agreed before, comes upon her request."""
    asked.press(YES)
    asked.authorize(scope="openid", prompt="consent").press(YES)
    number = re.search(r"[A-Za-z0-9_-]{43}", asked.path)[0]
    asked.authorize(scope="openid", prompt="login").two_factors(PAUL).press(YES)
    assert asked.get(f"/authorize/{number}").step == "consent"
    assert PAUL in asked.page.text


def test_nobody_answers_after_signing_out(asked):
    page, path = asked.page, asked.path
    asked.get("/logout").press("Se déconnecter")
    asked.page, asked.path = page, path
    assert asked.press(YES).step == "sign-in"
    assert nothing_was_given()


def test_nobody_answers_for_an_account_that_changed(asked, account):
    with transaction():
        assert changes.end_everything(account, db.session.get_one(Account, account).epoch)
    assert asked.press(YES).step == "sign-in"
    assert nothing_was_given()


def test_an_answer_counts_for_its_own_request_only(asked, account):
    other = in_another_tab(asked, scope="openid email phone", prompt="consent")
    asked.press(YES)
    assert agreed(asked, account) == {"openid", "email"}
    asked.page, asked.path = other
    assert asked.get(asked.path).step == "consent", "the other tab asks for itself"
    first = asked.client
    come_from_others(asked, client_name="Musée")
    assert asked.authorize(scope="openid").step == "consent", "and so does another application"
    assert agreed(asked, account) == set()
    asked.client = first


def test_what_is_posted_widens_nothing(asked, account):
    asked.post(asked.path, scope="openid phone address", client_id="x", account_id="2")
    assert agreed(asked, account) == {"openid", "email"}


def test_who_has_refused_has_refused(asked, account):
    page, path = asked.page, asked.path
    asked.press(NO)
    for _ in range(2):
        asked.page, asked.path = page, path
        assert asked.press(YES).callback["error"] == "access_denied"
    assert nothing_was_given()


def test_somebody_else_can_sign_in_instead(asked):
    asked.press("Ce n’est pas vous ? Changer d’identifiant")
    assert asked.step == "sign-in"
    assert asked.two_factors(PAUL).step == "consent"
    assert PAUL in asked.page.text


def test_whoever_migrates_agrees_as_anybody(person):
    come_from_others(person)
    person.authorize(scope="openid").migrate("jeanne", PASSWORD, ADDRESS)
    person.press("Se connecter à Archives").two_factors(ADDRESS)
    assert person.step == "consent"
    assert nothing_was_given()


def test_words_of_a_registration_are_words(person, account):
    come_from_others(person, client_name="<b>&\"'Archives", tos_uri='https://a.example/"><script>')
    page = person.authorize().page
    for step in ("sign-in", "consent"):
        assert page.step == step
        assert "<b>" not in page.source
        assert '"><script>' not in page.source
        assert "<b>&\"'Archives" in page.text
        page = person.two_factors(ADDRESS).page if step == "sign-in" else None
    person.press(YES).get("/account/applications")
    assert "<b>" not in person.page.source


@pytest.mark.parametrize("value", ["", "\x00", "é" * 20_000, "' OR 1=1 --"])
def test_hostile_fields_change_nothing(asked, value):
    for page in ("consent", "refuse"):
        answer = asked.post(f"{where(asked)}/{page}", version=value)
        assert answer.status_code in {303, 400, 413}
    asked.get("/account/applications")
    answer = asked.post("/account/applications/withdraw", client_id=value)
    assert answer.status_code in {303, 400, 413}
    assert isinstance(asked.page, Page)
