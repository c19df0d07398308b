"""What a proof of possession binds: tokens and codes, and what registrations demand (RFC 9449 5 to 10)."""

from dataclasses import replace

import pytest

from idp.clients import manage
from idp.extensions import transaction
from tests.oidc.conftest import bring_home
from tests.support import portal
from tests.support.apis import API, allow, opened, register_api
from tests.support.dpop import SCOPE, Holder, error, hash_of, show
from tests.support.journey import ISSUER, Person
from tests.support.tokens import ask_token, introspect, redeem, refresh, userinfo

# -- Bound tokens -----------------------------------------------------------------------------------------


def test_a_bound_token_is_nothing_without_its_key(coded, holder, bound):
    access = bound["access_token"]
    assert show(coded, holder.carry(access)).status_code == 200
    assert show(coded, holder.carry(access, "POST"), "POST").status_code == 200
    as_bearer = userinfo(coded, access)
    assert error(as_bearer, 401) == "invalid_token"
    assert 'DPoP algs="' in as_bearer.headers["WWW-Authenticate"]
    in_form = coded.app.test_client().post(
        "/userinfo", data={"access_token": access}, headers=holder.prove(), base_url=ISSUER
    )
    assert error(in_form, 401) == "invalid_token"
    thief = Holder()
    thief.nonce = holder.nonce
    assert error(show(coded, thief.carry(access)), 401) == "invalid_token"


def test_the_proof_must_be_for_the_token_and_the_request(coded, holder, bound):
    access = bound["access_token"]
    wrong = ({"ath": None}, {"ath": hash_of("x")}, {"ath": 7}, {"htm": "POST"}, {"jti": ""})
    for claims in wrong:
        refused = show(coded, holder.carry(access, **claims))
        assert error(refused, 401) == "invalid_dpop_proof"
        assert refused.headers["WWW-Authenticate"].startswith('DPoP error="invalid_dpop_proof"')
    refused = show(coded, {"Authorization": f"DPoP {access}"})
    assert error(refused, 401) == "invalid_dpop_proof"


def test_userinfo_asks_for_its_nonce_too(coded, holder, bound):
    refused = show(coded, holder.carry(bound["access_token"], nonce="old"))
    assert error(refused, 401) == "use_dpop_nonce"
    challenge = refused.headers["WWW-Authenticate"]
    assert challenge.startswith('DPoP error="use_dpop_nonce"')
    assert 'algs="' in challenge
    again = holder.carry(bound["access_token"], nonce=refused.headers["DPoP-Nonce"])
    assert show(coded, again).status_code == 200


def test_a_token_that_is_not_bound_is_no_dpop_token(coded, holder):
    access = redeem(coded)["access_token"]
    assert error(show(coded, holder.carry(access)), 401) == "invalid_token"
    assert userinfo(coded, access).status_code == 200


def test_resource_servers_learn_the_key(at_home, holder):
    api = register_api()
    allow(at_home.client, API)
    at_home.authorize(scope="openid read", resource=API)
    access = redeem(at_home, headers=holder.prove())["access_token"]
    assert opened(access)[1]["cnf"] == {"jkt": holder.jkt}
    told = introspect(api, access)
    assert (told["token_type"], told["cnf"]) == ("DPoP", {"jkt": holder.jkt})


def test_tokens_of_clients_for_themselves_are_bound_too(at_home, holder):
    register_api()
    grants = ("authorization_code", "refresh_token", "client_credentials")
    allow(at_home.client, API, grant_types=grants)
    plain = {"code": None, "redirect_uri": None, "code_verifier": None}
    proof = holder.prove()
    access = redeem(at_home, headers=proof, grant_type="client_credentials", **plain)
    assert access["token_type"] == "DPoP"
    assert opened(access["access_token"])[1]["cnf"] == {"jkt": holder.jkt}
    assert introspect(at_home.client, access["access_token"])["cnf"] == {"jkt": holder.jkt}
    again = ask_token(at_home, proof, grant_type="client_credentials", **plain)
    assert error(again) == "invalid_dpop_proof"


def test_a_registration_can_refuse_all_but_bound_tokens(coded, holder):
    with transaction():
        manage.update_client(coded.client.client_id, {"dpop_bound_access_tokens": True})
    assert error(ask_token(coded)) == "invalid_dpop_proof"
    tokens = redeem(coded, headers=holder.prove())
    assert error(refresh(coded, tokens["refresh_token"])) == "invalid_dpop_proof"
    fresh = refresh(coded, tokens["refresh_token"], headers=holder.prove()).get_json()
    assert fresh["token_type"] == "DPoP"


# -- Refresh tokens (section 5) ---------------------------------------------------------------------------


def test_a_refresh_token_of_a_public_client_is_bound_to_its_key(app, inbox, account, holder):
    client = portal.register(replace(portal.PORTAL, token_endpoint_auth_method="none"))
    person = bring_home(Person(app, inbox, client), account).authorize(scope=SCOPE)
    tokens = redeem(person, headers=holder.prove())
    thief = Holder()
    thief.nonce = holder.nonce
    assert error(refresh(person, tokens["refresh_token"], headers=thief.prove())) == "invalid_grant"
    assert error(refresh(person, tokens["refresh_token"])) == "invalid_dpop_proof"
    fresh = refresh(person, tokens["refresh_token"], headers=holder.prove()).get_json()
    assert show(person, holder.carry(fresh["access_token"])).status_code == 200
    assert error(refresh(person, fresh["refresh_token"])) == "invalid_dpop_proof"


def test_a_client_that_proves_who_it_is_may_change_its_key(coded, bound, holder):
    other = Holder()
    other.nonce = holder.nonce
    fresh = refresh(coded, bound["refresh_token"], headers=other.prove()).get_json()
    assert show(coded, other.carry(fresh["access_token"])).status_code == 200


# -- Codes (section 10) -----------------------------------------------------------------------------------


def test_a_code_can_be_bound_to_a_key(at_home, holder):
    at_home.authorize(scope=SCOPE, dpop_jkt=holder.jkt)
    thief = Holder()
    thief.nonce = holder.nonce
    assert error(ask_token(at_home)) == "invalid_dpop_proof"
    assert error(ask_token(at_home, thief.prove())) == "invalid_grant"
    assert redeem(at_home, headers=holder.prove())["token_type"] == "DPoP", "it was not burnt"


@pytest.mark.parametrize("value", ["", "x", "é" * 43, "a" * 44])
def test_a_thumbprint_that_is_none_is_refused(at_home, value):
    assert at_home.authorize(dpop_jkt=value).callback["error"] == "invalid_request"


def push(person, headers=None, **changes):
    fields = {
        "response_type": "code",
        "redirect_uri": person.client.redirect_uri,
        "scope": SCOPE,
        "code_challenge": person.challenge,
        "code_challenge_method": "S256",
    } | changes
    auth = (person.client.client_id, person.client.secret)
    client = person.app.test_client()
    return client.post("/par", data=fields, auth=auth, headers=headers, base_url=ISSUER)


@pytest.mark.parametrize("way", ["proof", "parameter", "both"])
def test_a_pushed_request_can_bind_its_code(at_home, holder, way):
    headers = None if way == "parameter" else holder.prove(path="/par")
    named = {} if way == "proof" else {"dpop_jkt": holder.jkt}
    name = push(at_home, headers, **named).get_json()["request_uri"]
    query = f"client_id={at_home.client.client_id}&request_uri={name}"
    at_home.get(f"/authorize?{query}")
    assert error(ask_token(at_home)) == "invalid_dpop_proof"
    assert redeem(at_home, headers=holder.prove())["token_type"] == "DPoP"


def test_a_pushed_request_with_a_bad_proof_is_refused(at_home, holder):
    proof = holder.prove(path="/par")
    assert error(push(at_home, proof, dpop_jkt=Holder().jkt)) == "invalid_request"
    assert push(at_home, proof).status_code == 201
    assert error(push(at_home, proof)) == "invalid_dpop_proof"
    assert error(push(at_home, holder.prove())) == "invalid_dpop_proof", "it is for /token"
    refused = push(at_home, holder.prove(path="/par", nonce="x"))
    assert error(refused) == "use_dpop_nonce"
    assert refused.headers["DPoP-Nonce"]


def test_a_proof_is_no_client_assertion(at_home, holder):
    """RFC 9449 11.6: told apart by their type."""
    signed = holder.prove()["DPoP"]
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    answer = at_home.app.test_client().post(
        "/token",
        data={"client_assertion_type": kind, "client_assertion": signed},
        base_url=ISSUER,
    )
    assert answer.status_code in {400, 401}
