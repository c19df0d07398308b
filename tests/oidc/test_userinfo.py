"""Userinfo (OIDC Core 5.3, RFC 6750)."""

from datetime import date, timedelta

import pytest
import time_machine

from idp import clock
from idp.accounts.profile import Profile
from tests.support.accounts import ADDRESS, make_account
from tests.support.journey import ISSUER
from tests.support.tokens import redeem, refresh, userinfo


def test_claims_follow_the_scope(signed_in):
    claims = userinfo(signed_in, redeem(signed_in)["access_token"]).get_json()
    assert claims["email"] == ADDRESS
    assert claims["email_verified"] is True
    assert claims["name"] == "Jeanne Favre"
    assert claims["birthdate"] == date(1950, 3, 14).isoformat()
    assert claims["address"]["locality"] == "Vevey"
    assert claims["address"]["formatted"] == "Rue du Lac 1\n1800 Vevey\nCH"
    assert isinstance(claims["updated_at"], int)
    assert not {"phone_number", "phone_number_verified"} & set(claims)


@pytest.mark.parametrize(
    ("scope", "names"),
    [
        ("openid", {"sub"}),
        ("openid email", {"sub", "email", "email_verified"}),
        ("openid address", {"sub", "address"}),
        ("openid phone", {"sub"}),
    ],
)
def test_a_narrow_scope_gives_no_more(at_home, scope, names):
    token = redeem(at_home.authorize(scope=scope))["access_token"]
    assert set(userinfo(at_home, token).get_json()) == names


def test_what_is_unknown_is_left_out_and_a_phone_is_verified(person):
    make_account("x@example.ch", phone="+41791234567", profile=Profile(given_name="Ana"))
    person.authorize().two_factors("x@example.ch")
    claims = userinfo(person, redeem(person)["access_token"]).get_json()
    assert claims["phone_number"] == "+41791234567"
    assert claims["phone_number_verified"] is True
    assert claims["name"] == "Ana"
    assert not {"family_name", "birthdate", "address"} & set(claims)


def test_post_takes_the_token_from_header_or_form(signed_in):
    token = redeem(signed_in)["access_token"]
    client = signed_in.app.test_client()
    header = {"Authorization": f"Bearer {token}"}
    assert client.post("/userinfo", headers=header, base_url=ISSUER).status_code == 200
    assert (
        client.post("/userinfo", data={"access_token": token}, base_url=ISSUER).status_code == 200
    )
    both = client.post("/userinfo", headers=header, data={"access_token": token}, base_url=ISSUER)
    assert (both.status_code, both.get_json()["error"]) == (400, "invalid_request")


def test_a_token_in_the_query_is_not_looked_at(signed_in):
    token = redeem(signed_in)["access_token"]
    answer = signed_in.app.test_client().get(f"/userinfo?access_token={token}", base_url=ISSUER)
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Bearer x", "Basic x", "Bearer é"]
)
def test_without_a_living_token_it_is_401_with_a_challenge(client, header):
    headers = {} if header is None else {"Authorization": header}
    answer = client.get("/userinfo", headers=headers, base_url=ISSUER)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.headers["Cache-Control"] == "no-store"


def test_an_access_token_lives_ten_minutes(signed_in):
    token = redeem(signed_in)["access_token"]
    with time_machine.travel(clock.now() + timedelta(minutes=9), tick=True):
        assert userinfo(signed_in, token).status_code == 200
    with time_machine.travel(clock.now() + timedelta(minutes=11), tick=True):
        assert userinfo(signed_in, token).status_code == 401


def test_without_the_openid_scope_a_token_opens_nothing_here(person, account):
    """RFC 6750 3.1: a refresh may ask for less, and less is not enough."""
    person.authorize(scope="openid email offline_access").two_factors(ADDRESS)
    narrow = refresh(person, redeem(person)["refresh_token"], scope="email").get_json()
    assert narrow["scope"] == "email"
    answer = userinfo(person, narrow["access_token"])
    assert (answer.status_code, answer.get_json()["error"]) == (403, "insufficient_scope")
    assert 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]
    assert ADDRESS not in answer.get_data(as_text=True)
