"""The claims parameter (OIDC Core 5.5), and levels that must be reached (OIDC Core 5.5.1.1)."""

import json
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from hypothesis import strategies as st

from idp.clients import manage
from idp.extensions import db, transaction
from tests.oidc.conftest import bring_home, told
from tests.support.accounts import ADDRESS, make_account
from tests.support.journey import Person
from tests.support.portal import PORTAL, register
from tests.support.tokens import claims_of, redeem, refresh, userinfo

PHONE = "+41791234567"
BY_MAIL, BY_SMS = "urn:seuil:acr:email", "urn:seuil:acr:sms"


def asking(person, scope="openid", **claims):
    """Come with these members of the parameter; the tokens."""
    return redeem(person.authorize(scope=scope, claims=json.dumps(claims)))


def test_single_claims_are_where_they_were_asked_for_and_nowhere_else(person, at_home):
    tokens = asking(
        person,
        userinfo={"email": {"essential": True}, "given_name": None},
        id_token={"email_verified": {}, "family_name": None},
    )
    told_there = userinfo(person, tokens["access_token"]).get_json()
    assert set(told_there) == {"sub", "email", "given_name"}
    assert told_there["email"] == ADDRESS
    claims = claims_of(tokens)
    assert claims["email_verified"] is True
    assert claims["family_name"]
    assert not {"email", "given_name"} & set(claims)


def test_they_are_there_after_a_refresh_too(person, account):
    claims = json.dumps({"userinfo": {"email": None}})
    person.authorize(scope="openid offline_access", claims=claims).two_factors(ADDRESS)
    tokens = refresh(person, redeem(person)["refresh_token"]).get_json()
    assert userinfo(person, tokens["access_token"]).get_json()["email"] == ADDRESS


def test_a_claim_without_a_value_is_left_out(person, at_home):
    tokens = asking(person, userinfo={"phone_number": {"essential": True}, "website": None})
    assert set(userinfo(person, tokens["access_token"]).get_json()) == {"sub"}


@pytest.mark.parametrize(
    ("wish", "there"),
    [
        ({"value": ADDRESS}, True),
        ({"value": "another@example.ch"}, False),
        ({"values": ["another@example.ch", ADDRESS]}, True),
        ({"values": []}, False),
        ({"value": None}, False),
    ],
)
def test_only_the_value_asked_for_is_told(person, at_home, wish, there):
    tokens = asking(person, userinfo={"email": wish})
    assert ("email" in userinfo(person, tokens["access_token"]).get_json()) is there


def test_a_client_learns_no_claim_beyond_its_scopes(app, inbox, account):
    narrow = replace(PORTAL, scope="openid email", grant_types=("authorization_code",))
    person = bring_home(Person(app, inbox, register(narrow)), account)
    tokens = asking(
        person,
        userinfo={"email": None, "family_name": None, "legacy_identifiers": None},
        id_token={"given_name": None, "birthdate": {"essential": True}},
    )
    assert set(userinfo(person, tokens["access_token"]).get_json()) == {"sub", "email"}
    assert not {"given_name", "birthdate"} & set(claims_of(tokens))


def test_what_the_registration_has_lost_since_is_told_no_more(person, at_home):
    tokens = asking(person, scope="openid offline_access", userinfo={"email": None})
    assert userinfo(person, tokens["access_token"]).get_json()["email"] == ADDRESS
    with transaction():
        manage.update_client(person.client.client_id, {"scope": "openid offline_access"})
    again = refresh(person, tokens["refresh_token"]).get_json()
    for token in (tokens["access_token"], again["access_token"]):
        assert set(userinfo(person, token).get_json()) == {"sub"}


def test_what_the_provider_says_of_the_sign_in_cannot_be_asked_to_be_otherwise(person, at_home):
    names = ("iss", "aud", "exp", "iat", "auth_time", "amr", "sid", "nonce", "at_hash", "sub")
    wishes = {name: {"value": "x"} for name in names if name != "sub"}
    claims = claims_of(asking(person, id_token=wishes))
    assert claims["iss"] == "http://localhost:8000"
    assert claims["nonce"] == "the nonce"
    assert claims["auth_time"] != "x"


def test_an_application_that_reads_only_the_id_token_finds_the_scope_there(person, account):
    with transaction():
        manage.update_client(person.client.client_id, {"id_token_scope_claims": True})
    person.authorize(scope="openid email profile").two_factors(ADDRESS)
    claims = claims_of(redeem(person))
    assert claims["email"] == ADDRESS
    assert claims["email_verified"] is True
    assert isinstance(claims["updated_at"], int)
    assert "phone_number" not in claims
    assert claims["sub"] == userinfo(person, redeem_again(person)["access_token"]).get_json()["sub"]


def redeem_again(person):
    """Tokens of another round, with the session."""
    return redeem(person.authorize(scope="openid"))


def _of_email(value):
    """What Python reads, but cannot write, or no database takes."""
    return f'{{"userinfo": {{"email": {{"value": {value}}}}}}}'


@pytest.mark.parametrize(
    "text",
    [
        *("x", "[]", '"x"', "1", "{", '{"userinfo": []}', '{"id_token": "x"}', "[" * 1900),
        *('{"userinfo": {"email": 1}}', '{"userinfo": {"email": []}}'),
        *(
            '{"userinfo": {"email": {"essential": "yes"}}}',
            '{"userinfo": {"email": {"values": 1}}}',
        ),
        '{"id_token": {"sub": {"value": 7}}}',
        *(_of_email("[" * 900 + "]" * 900), _of_email("1e999"), _of_email('"\\ud800"')),
    ],
)
def test_another_shape_is_an_invalid_request(ask, text, person):
    assert refusal(ask(claims=text), person)["error"] == "invalid_request"


def refusal(answer, person):
    """The error, told at once or after the browser came back by GET."""
    assert answer.status_code == 303
    return told(answer)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["userinfo", "id_token", "sub", "acr", "email", "value", "values", "x"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@limits(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=_JSON)
def test_no_json_makes_it_fall(person, asked):
    db.session.remove()
    answer = person.browser.get(
        person.authorize_path(claims=json.dumps(asked)), base_url="http://localhost:8000"
    )
    assert answer.status_code == 303


def test_the_subject_asked_for_is_the_only_one_who_will_do(signed_in, another):
    mine = claims_of(redeem(signed_in))["sub"]
    wish = json.dumps({"id_token": {"sub": {"value": mine}}})
    assert signed_in.authorize(claims=wish).step == "callback"
    assert claims_of(redeem(signed_in))["sub"] == mine
    make_account("other@example.ch")
    other = another().authorize(claims=wish)
    other.two_factors("other@example.ch")
    assert other.callback["error"] == "login_required"
    stranger = another().authorize(claims=wish, prompt="none")
    assert stranger.callback["error"] == "login_required"


def test_a_hint_and_a_subject_that_differ_are_a_mistake(signed_in):
    token = redeem(signed_in)["id_token"]
    wish = json.dumps({"id_token": {"sub": {"value": "somebody"}}})
    signed_in.authorize(claims=wish, id_token_hint=token)
    assert signed_in.callback["error"] == "invalid_request"


def level(*values, essential=True):
    return json.dumps({"id_token": {"acr": {"essential": essential, "values": values}}})


def test_a_level_that_must_be_reached_is_reached_by_a_code_by_sms(person):
    make_account(phone=PHONE)
    person.authorize(acr_values=BY_MAIL).two_factors(ADDRESS)
    assert claims_of(redeem(person))["acr"] == BY_MAIL
    assert person.authorize(claims=level(BY_SMS), prompt="none").callback["error"]
    person.authorize(claims=level(BY_SMS))
    assert person.step == "sign-in"
    person.two_factors(ADDRESS)
    assert claims_of(redeem(person))["acr"] == BY_SMS
    assert person.authorize(claims=level(BY_SMS)).step == "callback"


def test_whoever_cannot_reach_it_is_told_to_the_client(person, account):
    person.authorize(claims=level(BY_SMS)).two_factors(ADDRESS)
    assert person.callback["error"] == "unmet_authentication_requirements"
    assert "code" not in person.callback


def test_a_level_that_nobody_can_reach_is_refused_before_anybody_signs_in(ask, person):
    assert refusal(ask(claims=level("urn:x")), person)["error"] == (
        "unmet_authentication_requirements"
    )


def test_a_level_that_is_only_wished_for_stops_nobody(person, account):
    person.authorize(claims=level(BY_SMS, essential=False)).two_factors(ADDRESS)
    assert claims_of(redeem(person))["acr"] == BY_MAIL


def test_one_of_several_levels_does(person, account):
    person.authorize(claims=level(BY_SMS, BY_MAIL)).two_factors(ADDRESS)
    assert claims_of(redeem(person))["acr"] == BY_MAIL
