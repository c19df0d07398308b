"""prompt, max_age, id_token_hint, acr (OIDC Core 3.1.2.1, 3.1.2.3)."""

from datetime import timedelta

import pytest
import time_machine

from idp import clock
from idp.accounts.account import AccountStatus
from idp.clients import manage
from idp.extensions import transaction
from tests.support.accounts import ADDRESS, make_account
from tests.support.portal import register
from tests.support.proofs import change_account
from tests.support.tokens import claims_of, redeem


@pytest.fixture(autouse=True, params=["GET", "POST"])
def method(request, person):
    """Every rule holds for both ways to send a request (OIDC Core 3.1.2.1)."""
    person.method = request.param


def test_a_session_answers_at_once_and_with_the_same_authentication(signed_in):
    first = claims_of(redeem(signed_in))
    signed_in.authorize()
    assert signed_in.step == "callback"
    second = claims_of(redeem(signed_in))
    for claim in ("sub", "sid", "auth_time", "amr", "acr"):
        assert first[claim] == second[claim]


def test_prompt_none_answers_with_a_session_and_refuses_without(signed_in, person):
    signed_in.authorize(prompt="none")
    assert signed_in.callback["code"]
    signed_in.browser.delete_cookie("seuil-session", domain="localhost")
    signed_in.authorize(prompt="none")
    assert signed_in.callback["error"] == "login_required"


@pytest.mark.parametrize("prompt", ["login", "select_account", "login consent"])
def test_prompt_login_asks_both_factors_again(signed_in, prompt):
    before = claims_of(redeem(signed_in))
    with time_machine.travel(before["auth_time"] + 60, tick=False):
        signed_in.authorize(prompt=prompt)
        assert signed_in.step == "sign-in"
        signed_in.two_factors(ADDRESS)
        after = claims_of(redeem(signed_in))
    assert after["auth_time"] >= before["auth_time"] + 60
    assert after["sid"] != before["sid"]


def test_max_age_asks_again_only_when_the_sign_in_is_older(signed_in):
    born = claims_of(redeem(signed_in))["auth_time"]
    with time_machine.travel(born + 100, tick=False):
        assert signed_in.authorize(max_age="200").step == "callback"
        assert signed_in.authorize(max_age="50").step == "sign-in"
        assert (
            signed_in.authorize(max_age="50", prompt="none").callback["error"] == "login_required"
        )
        signed_in.authorize(max_age="50").two_factors(ADDRESS)
        assert claims_of(redeem(signed_in))["auth_time"] >= born + 100


def test_max_age_zero_is_met_by_the_sign_in_it_asked_for(signed_in):
    with time_machine.travel(timedelta(seconds=30) + clock.now(), tick=True):
        signed_in.authorize(max_age="0")
        assert signed_in.step == "sign-in"
        signed_in.two_factors(ADDRESS)
        assert signed_in.callback["code"]


def test_the_registered_default_max_age_counts_when_the_request_names_none(signed_in):
    with transaction():
        manage.update_client(signed_in.client.client_id, {"default_max_age": 10})
    with time_machine.travel(timedelta(seconds=30) + clock.now(), tick=True):
        assert signed_in.authorize().step == "sign-in"


def test_a_hint_that_names_the_session_answers_and_another_person_is_refused(signed_in):
    hint = redeem(signed_in)["id_token"]
    assert signed_in.authorize(id_token_hint=hint).step == "callback"
    make_account("paul@example.ch")
    signed_in.authorize(prompt="login").two_factors("paul@example.ch")
    signed_in.authorize(id_token_hint=hint, prompt="none")
    assert signed_in.callback["error"] == "login_required"
    signed_in.authorize(id_token_hint=hint)
    assert signed_in.step == "sign-in"
    signed_in.two_factors("paul@example.ch")
    assert signed_in.callback["error"] == "login_required"


def test_an_expired_hint_is_still_a_hint(signed_in):
    hint = redeem(signed_in)["id_token"]
    with time_machine.travel(timedelta(minutes=25) + clock.now(), tick=True):
        assert signed_in.authorize(id_token_hint=hint, prompt="none").callback["code"]


def test_idle_and_old_sessions_ask_again(signed_in):
    start = clock.now()
    with time_machine.travel(start + timedelta(minutes=29), tick=True):
        assert signed_in.authorize().step == "callback"
    with time_machine.travel(start + timedelta(minutes=57), tick=True):
        assert signed_in.authorize().step == "callback"
    with time_machine.travel(start + timedelta(minutes=88), tick=True):
        assert signed_in.authorize().step == "sign-in"


def test_a_session_in_use_still_ends_after_twelve_hours(signed_in):
    start = clock.now()
    for quarter in range(1, 48):
        with time_machine.travel(start + timedelta(minutes=15 * quarter), tick=True):
            assert signed_in.authorize().step == "callback"
    with time_machine.travel(start + timedelta(hours=12, minutes=1), tick=True):
        assert signed_in.authorize().step == "sign-in"


def test_amr_and_acr_say_what_happened(person):
    make_account(ADDRESS)
    by_mail = claims_of(redeem(person.authorize().two_factors(ADDRESS)))
    assert (by_mail["amr"], by_mail["acr"]) == (["pwd", "otp", "mfa"], "urn:seuil:acr:email")
    make_account("paul@example.ch", phone="+41791234567")
    by_sms = claims_of(redeem(person.authorize(prompt="login").two_factors("paul@example.ch")))
    assert (by_sms["amr"], by_sms["acr"]) == (["pwd", "otp", "sms", "mfa"], "urn:seuil:acr:sms")


@pytest.mark.parametrize(
    ("acr_values", "acr"),
    [
        ("urn:seuil:acr:email", "urn:seuil:acr:email"),
        ("unknown urn:seuil:acr:email urn:seuil:acr:sms", "urn:seuil:acr:email"),
        ("urn:seuil:acr:sms urn:seuil:acr:email", "urn:seuil:acr:sms"),
        ("unknown", "urn:seuil:acr:sms"),
    ],
)
def test_acr_values_choose_the_channel_of_the_first_code(person, acr_values, acr):
    make_account(ADDRESS, phone="+41791234567")
    person.authorize(acr_values=acr_values).two_factors(ADDRESS)
    assert claims_of(redeem(person))["acr"] == acr


def test_acr_values_cannot_be_met_without_a_number_and_nobody_is_locked_out(person, account):
    person.authorize(acr_values="urn:seuil:acr:sms").two_factors(ADDRESS)
    assert claims_of(redeem(person))["acr"] == "urn:seuil:acr:email"


def test_a_hint_that_was_given_to_another_client_is_refused(signed_in):
    portal, other = signed_in.client, register()
    signed_in.client = other
    theirs = redeem(signed_in.authorize())["id_token"]
    assert signed_in.authorize(id_token_hint=theirs).callback["code"]
    signed_in.client = portal
    assert signed_in.authorize(id_token_hint=theirs).callback["error"] == "invalid_request"


@pytest.mark.parametrize("change", [{"epoch": 2}, {"status": AccountStatus.FROZEN}], ids=str)
def test_a_session_of_an_account_that_changed_or_is_frozen_does_not_answer(
    signed_in, account, change
):
    change_account(account, **change)
    assert signed_in.authorize(prompt="none").callback["error"] == "login_required"
    assert signed_in.authorize().step == "sign-in"
