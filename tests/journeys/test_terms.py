"""The terms and the privacy notice of the deployment: shown with their version, accepted once, asked again."""

from datetime import timedelta

import pytest
import time_machine

from idp import clock
from idp.accounts.account import Account
from idp.audit.models import AuditEvent
from idp.extensions import db
from tests.support.accounts import ADDRESS, make_account
from tests.support.agreeing import YES, come_from_others
from tests.support.journey import ISSUER
from tests.support.settings import override
from tests.support.statements import counted
from tests.support.tokens import redeem, userinfo

TERMS = {
    "terms_version": "2026-01",
    "terms_url": "https://www.example.ch/{locale}/terms",
    "privacy_url": "https://www.example.ch/privacy",
}


@pytest.fixture
def version(app):
    with override(app, **TERMS):
        yield


@pytest.fixture
def asked(version, signed_in_before):
    """Somebody who has a session, and is sent to us once more."""
    signed_in_before.authorize()
    assert signed_in_before.step == "terms"
    return signed_in_before


@pytest.fixture
def signed_in_before(person, account):
    return person.authorize().two_factors(ADDRESS)


@pytest.fixture
def account(app):
    return make_account()


def accepted():
    db.session.rollback()
    return db.session.query(Account.terms_version).scalar()


def test_it_is_asked_once_after_signing_in(person, account, version):
    person.authorize().two_factors(ADDRESS)
    assert person.step == "terms"
    assert "2026-01" in person.page.text
    assert 'href="https://www.example.ch/fr/terms"' in person.page.source
    assert "ont changé" not in person.page.text
    assert accepted() is None
    assert person.press("J’accepte").callback["code"]
    assert accepted() == "2026-01"
    assert person.authorize(prompt="none").callback["code"]
    assert person.authorize(prompt="login").two_factors(ADDRESS).callback["code"]
    assert db.session.query(AuditEvent).filter_by(event="terms_accepted").count() == 1


def test_a_new_version_is_asked_of_who_has_a_session(app, asked):
    with time_machine.travel(clock.now() + timedelta(minutes=1)) as now:
        asked.press("J’accepte")
        with override(app, terms_version="2026-02"):
            now.shift(timedelta(minutes=20))
            assert asked.authorize().step == "terms"
            assert "Elles ont changé depuis" in asked.page.text
            assert asked.press("J’accepte").callback["code"]
    assert accepted() == "2026-02"


def test_a_version_that_was_not_shown_is_not_accepted(app, asked):
    with override(app, terms_version="2026-02"):
        assert asked.press("J’accepte").step == "terms"
        assert "2026-02" in asked.page.text
    assert accepted() is None


def test_who_does_not_accept_goes_back_with_nothing(asked):
    assert asked.press("Je n’accepte pas").callback["error"] == "access_denied"
    assert accepted() is None
    assert asked.authorize(prompt="none").callback["error"] == "interaction_required"
    assert asked.authorize().step == "terms"


def test_it_comes_before_consent(asked, account):
    come_from_others(asked)
    assert asked.authorize(scope="openid").step == "terms"
    asked.press("J’accepte")
    assert asked.step == "consent"
    assert asked.press(YES).callback["code"]


def test_one_s_own_pages_ask_nobody(version, person, account):
    person.get("/account").two_factors(ADDRESS)
    assert person.step == "account"


def test_another_account_cannot_accept_in_another_tab(asked, account):
    page, path = asked.page, asked.path
    asked.get("/logout").press("Se déconnecter")
    asked.page, asked.path = page, path
    assert asked.press("J’accepte").step == "sign-in"
    assert accepted() is None


def test_accepting_changes_nothing_that_relying_parties_know(app, signed_in_before):
    before = userinfo(signed_in_before, redeem(signed_in_before)["access_token"]).get_json()
    with time_machine.travel(clock.now() + timedelta(seconds=5), tick=True), override(app, **TERMS):
        signed_in_before.authorize().press("J’accepte")
        after = userinfo(signed_in_before, redeem(signed_in_before)["access_token"]).get_json()
    assert before == after


def test_it_costs_no_statement_with_a_session(app, signed_in_before):
    with counted() as off:
        signed_in_before.authorize()
    with override(app, **TERMS):
        signed_in_before.authorize().press("J’accepte")
        with counted() as on:
            assert signed_in_before.authorize().callback["code"]
    assert len(on) == len(off)


def test_every_page_and_the_metadata_lead_to_them(version, person):
    english = {"Accept-Language": "en"}
    page = person.browser.get("/", base_url=ISSUER, headers=english).get_data(as_text=True)
    assert 'href="https://www.example.ch/en/terms"' in page
    metadata = person.browser.get("/.well-known/openid-configuration", base_url=ISSUER).get_json()
    assert metadata["op_tos_uri"] == "https://www.example.ch/fr/terms"
    assert metadata["op_policy_uri"] == "https://www.example.ch/privacy"


def test_without_them_there_is_nothing(person):
    metadata = person.browser.get("/.well-known/openid-configuration", base_url=ISSUER).get_json()
    assert not metadata.keys() & {"op_tos_uri", "op_policy_uri"}
