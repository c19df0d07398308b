"""Consent for applications of others (OIDC Core 3.1.2.4), and `offline_access` only with it (11)."""

from datetime import timedelta

import pytest
import time_machine
from werkzeug.datastructures import MultiDict

from idp import clock
from idp.accounts import changes
from idp.accounts.account import Account
from idp.extensions import db, transaction
from idp.grants import codes, consents
from idp.grants.models import AuthorizationCode
from tests.support.accounts import ADDRESS, make_account
from tests.support.agreeing import NO, YES, agreed, change_client, come_from_others
from tests.support.journey import ISSUER
from tests.support.portal import register
from tests.support.statements import counted
from tests.support.tokens import claims_of, redeem, refresh, userinfo

OFFLINE = "openid email offline_access"


@pytest.fixture(autouse=True)
def others(person):
    """People come from an application that is not of the house."""
    come_from_others(person)


@pytest.fixture
def asked(at_home):
    """At the page that asks."""
    assert at_home.authorize(scope="openid email").step == "consent"
    return at_home


@pytest.fixture
def consented(asked):
    """With a code, and a session."""
    return asked.press(YES)


def test_nothing_is_given_before_the_person_agreed(asked, account):
    assert db.session.query(AuthorizationCode).count() == 0
    for words in ("Archives", ADDRESS, "votre adresse email", "portal.example"):
        assert words in asked.page.text
    assert "votre nom" not in asked.page.text, "it was not asked for"
    for address in ("https://archive.example/privacy", "https://archive.example/terms"):
        assert f'href="{address}"' in asked.page.source
    tokens = redeem(asked.press(YES))
    assert tokens["scope"] == "openid email"
    assert agreed(asked, account) == {"openid", "email"}


def test_it_is_remembered_per_account_and_client(consented, another, account):
    assert consented.authorize(scope="openid email", prompt="none").callback["code"]
    assert consented.authorize(scope="openid").callback["code"], "less is agreed too"
    other = another()
    other.client = consented.client
    assert other.authorize(scope="openid email").two_factors(ADDRESS).callback["code"]
    make_account("paul@example.ch")
    other.authorize(scope="openid email", prompt="login").two_factors("paul@example.ch")
    assert other.step == "consent"
    come_from_others(consented, client_name="Musée")
    assert consented.authorize(scope="openid email").step == "consent"


def test_more_is_asked_again_and_said_to_be_more(consented, account):
    assert consented.authorize(scope="openid phone").step == "consent"
    assert "avait déjà un accès" in consented.page.text
    new, _, old = consented.page.text.partition("Comme jusqu’à présent")
    assert "votre numéro de téléphone" in new.partition("pourra aussi")[2]
    assert "vous reconnaître" in old
    assert "votre adresse email" not in consented.page.text, "it was not asked for"
    assert consented.press(YES).callback["code"]
    assert agreed(consented, account) == {"openid", "email", "phone"}


def test_what_was_agreed_to_over_the_years_may_be_long(consented, account):
    row_id = consented.client.row_id
    for letter in "abc":
        with transaction():
            consents.give(
                account, row_id, frozenset(f"{letter}{number:099}" for number in range(9))
            )
    assert len(consents.agreed(account, row_id)) > 27


def test_what_is_all_new_is_not_set_against_the_old(consented, account):
    with transaction():
        consents.withdraw(account, consented.client.row_id)
        consents.give(account, consented.client.row_id, frozenset({"phone"}))
    assert consented.authorize(scope="openid").step == "consent"
    assert "pourra aussi" in consented.page.text
    assert "Comme jusqu’à présent" not in consented.page.text


def test_a_single_claim_counts_as_its_scope(consented, account):
    claims = '{"userinfo": {"phone_number": null}, "id_token": {"birthdate": null}}'
    assert consented.authorize(scope="openid", claims=claims).step == "consent"
    assert "votre numéro de téléphone" in consented.page.text
    assert "votre date de naissance" in consented.page.text
    tokens = redeem(consented.press(YES))
    assert claims_of(tokens)["birthdate"]
    assert agreed(consented, account) == {"openid", "email", "phone", "profile"}


def test_prompt_consent_asks_each_time_and_once(consented):
    for _ in range(2):
        assert consented.authorize(scope="openid", prompt="consent").step == "consent"
        assert "avait déjà" not in consented.page.text
        assert consented.press(YES).callback["code"]


def test_prompt_login_and_consent_asks_for_both(consented):
    assert consented.authorize(scope="openid", prompt="login consent").step == "sign-in"
    assert consented.two_factors(ADDRESS).step == "consent"
    assert consented.press(YES).callback["code"]


@pytest.mark.parametrize("more", [{}, {"prompt": "consent"}], ids=["new", "again"])
def test_a_refusal_is_told_and_nothing_is_given(consented, account, more):
    scope = "openid email" if more else "openid phone"
    consented.authorize(scope=scope, **more).press(NO)
    assert consented.callback["error"] == "access_denied"
    assert consented.callback["state"] == "the state"
    assert agreed(consented, account) == {"openid", "email"}
    assert consented.authorize(scope="openid email").callback["code"], "what was agreed stays"


def test_prompt_none_is_told_that_consent_is_missing(consented):
    for scope, error in (("openid email", None), ("openid phone", "consent_required")):
        consented.authorize(scope=scope, prompt="none")
        assert consented.callback.get("error") == error
    consented.browser.delete_cookie("seuil-session", domain="localhost")
    consented.authorize(scope="openid phone", prompt="none")
    assert consented.callback["error"] == "login_required"


def test_a_program_that_anybody_can_pretend_to_be_is_asked_about_each_time(consented):
    """RFC 8252 8.6: as if nothing had been approved before."""
    native = {"token_endpoint_auth_method": "none", "application_type": "native"}
    come_from_others(consented, redirect_uris=("http://127.0.0.1/cb",), **native)
    for _ in range(2):
        assert consented.authorize(scope="openid").step == "consent"
        assert "une application de cet appareil (" in consented.page.text
        assert consented.press(YES).callback["code"]
    consented.authorize(scope="openid", prompt="none")
    assert consented.callback["error"] == "consent_required"


@pytest.mark.parametrize("prompt", [None, "consent", "none"])
def test_a_client_of_the_house_asks_nobody(consented, prompt):
    change_client(consented, first_party=True)
    assert redeem(consented.authorize(scope=OFFLINE, prompt=prompt))["refresh_token"]


def test_an_application_that_is_of_the_house_no_more_asks_and_refreshes_nothing(person, account):
    change_client(person, first_party=True)
    token = redeem(person.authorize(scope=OFFLINE).two_factors(ADDRESS))["refresh_token"]
    change_client(person, first_party=False)
    assert refresh(person, token).get_json()["error"] == "invalid_grant"
    assert person.authorize(scope="openid email").step == "consent"


def test_offline_access_is_left_out_unless_prompt_consent_asks_for_it(consented, account):
    tokens = redeem(consented.authorize(scope=OFFLINE))
    assert "refresh_token" not in tokens
    assert tokens["scope"] == "openid email"
    consented.authorize(scope=OFFLINE, prompt="consent")
    assert "en votre absence, pendant 180 jours" in consented.page.text
    tokens = redeem(consented.press(YES))
    assert refresh(consented, tokens["refresh_token"]).status_code == 200
    tokens = redeem(consented.authorize(scope=OFFLINE))
    assert tokens["refresh_token"], "the person has agreed, and not withdrawn"


def test_a_withdrawn_consent_ends_tokens_and_codes(consented, account):
    tokens = redeem(consented.authorize(scope=OFFLINE, prompt="consent").press(YES))
    consented.authorize(scope="openid email")
    with transaction():
        assert consents.withdraw(account, consented.client.row_id)
        codes.revoke_all(account, consented.client.row_id)
    assert userinfo(consented, tokens["access_token"]).status_code == 401
    assert refresh(consented, tokens["refresh_token"]).status_code == 400
    assert consented.authorize(scope="openid email").step == "consent"


def test_a_consent_withdrawn_at_the_last_moment_gives_no_code(consented, account, monkeypatch):
    """Between the look at it and the code: the code would hang on nothing."""
    monkeypatch.setattr(consents, "use", lambda *_: False)
    assert consented.authorize(scope="openid email", prompt="none").callback["error"]
    monkeypatch.undo()
    assert consented.authorize(scope="openid email").callback["code"]


def test_reading_for_long_asks_for_no_other_sign_in(person, account):
    person.authorize(scope="openid", max_age="0", prompt="login consent").two_factors(ADDRESS)
    with time_machine.travel(clock.now() + timedelta(minutes=20), tick=False):
        assert person.press(YES).callback["code"]
    with time_machine.travel(clock.now() + timedelta(minutes=22), tick=False):
        assert person.authorize(scope="openid", max_age="600").step == "sign-in"


def test_a_consent_outlives_a_new_epoch_and_not_the_account(consented, account):
    with transaction():
        row = db.session.get_one(Account, account)
        assert changes.end_everything(row.id, row.epoch)
    assert consented.authorize(scope="openid email").two_factors(ADDRESS).callback["code"]
    with transaction():
        row = db.session.get_one(Account, account)
        assert changes.close(row.id, row.epoch, row.sub)
    assert agreed(consented, account) == set()


def test_a_posted_request_that_is_answered_by_form_waits_for_consent_too(consented):
    consented.method = "POST"
    consented.authorize(scope="openid phone", response_mode="form_post")
    assert consented.step == "consent"
    consented.press(NO)
    assert (consented.posted_to, consented.callback["error"]) == (
        "https://portal.example/callback",
        "access_denied",
    )


def test_a_pushed_request_waits_for_consent_too(consented):
    pushed = consented.app.test_client().post(
        "/par",
        data=MultiDict(
            {
                "response_type": "code",
                "redirect_uri": consented.client.redirect_uri,
                "scope": "openid phone",
                "code_challenge": consented.challenge,
                "code_challenge_method": "S256",
            }
        ),
        auth=(consented.client.client_id, consented.client.secret),
        base_url=ISSUER,
    )
    name, client_id = pushed.get_json()["request_uri"], consented.client.client_id
    consented.get(f"/authorize?client_id={client_id}&request_uri={name}")
    assert consented.step == "consent"
    assert consented.press(YES).callback["code"]


def test_consent_costs_one_look_and_one_note_with_a_session(consented):
    with counted() as theirs:
        consented.authorize(scope="openid email")
    consented.client = register()
    consented.authorize(scope="openid email")
    with counted() as ours:
        consented.authorize(scope="openid email")
    assert len(theirs) == len(ours) + 2, (theirs, ours)


@pytest.mark.parametrize(
    "wish",
    [
        {"claims": '{"id_token": {"sub": {"value": "somebody else"}}}'},
        {"claims": '{"id_token": {"acr": {"value": "urn:seuil:acr:sms", "essential": true}}}'},
        {"max_age": "0"},
        {},
    ],
    ids=str,
)
def test_silence_tells_others_nothing_of_who_did_not_agree(person, account, wish):
    """Not who they are, nor how and when they signed in."""
    person.authorize(scope="openid").two_factors(ADDRESS)
    come_from_others(person)
    person.authorize(scope="openid", prompt="none", **wish)
    assert person.callback["error"] == "consent_required"
