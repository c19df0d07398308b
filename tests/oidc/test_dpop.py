"""Proof of possession (RFC 9449): proofs, what they bind, and what is bound without them."""

from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from joserfc.jwk import RSAKey

from idp import clock
from idp.clients import manage
from idp.extensions import transaction
from tests.oidc.conftest import bring_home
from tests.support import portal
from tests.support.apis import API, allow, opened, register_api
from tests.support.dpop import Holder, hash_of
from tests.support.journey import ISSUER, Person
from tests.support.signing import make_key
from tests.support.together import together
from tests.support.tokens import ask_token, introspect, redeem, refresh, userinfo

SCOPE = "openid email offline_access"


@pytest.fixture
def holder(app):
    return Holder().fetch_nonce()


@pytest.fixture
def coded(at_home):
    """With a code."""
    return at_home.authorize(scope=SCOPE)


@pytest.fixture
def tokens(coded, holder):
    """Bound to the holder's key."""
    return redeem(coded, headers=holder.prove())


def error(answer, status=400):
    assert answer.status_code == status, answer.get_data(as_text=True)
    return answer.get_json()["error"]


def show(person, headers, method="GET", **options):
    return person.app.test_client().open(
        "/userinfo", method=method, headers=headers, base_url=ISSUER, **options
    )


# -- Proofs ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("alg", ["ES256", "RS256", "PS256", "EdDSA", "Ed25519"])
def test_a_proof_of_any_published_algorithm_binds(coded, client, alg):
    metadata = client.get("/.well-known/openid-configuration", base_url=ISSUER).get_json()
    assert alg in metadata["dpop_signing_alg_values_supported"]
    holder = Holder(alg).fetch_nonce()
    tokens = redeem(coded, headers=holder.prove())
    assert tokens["token_type"] == "DPoP"
    assert show(coded, holder.carry(tokens["access_token"])).get_json()["email"]


@pytest.mark.parametrize(
    "header",
    [
        *({"typ": "JWT"}, {"typ": None}, {"typ": "DPOP+JWT"}, {"jwk": None}, {"jwk": {}}),
        *({"jwk": "x"}, {"jwk": []}, {"jwk": {"kty": "EC"}}, {"jwk": {"kty": {"x": 1}}}),
        *({"jwk": {"kty": "oct", "k": "AAAA"}}, {"crit": ["x"], "x": 1}, {"b64": False}),
    ],
    ids=str,
)
def test_its_header_must_be_as_the_rules_say(coded, holder, header):
    assert error(ask_token(coded, holder.signed(holder.claims(), **header))) == "invalid_dpop_proof"
    assert redeem(coded, headers=holder.prove(path="/token"))["token_type"] == "DPoP"


def test_a_private_key_a_shared_one_and_another_one_are_no_key(coded, holder):
    own = {"jwk": holder.key.as_dict(private=True)}
    other = {"jwk": make_key().as_dict(private=False)}
    rsa = {"jwk": make_key("RS256").as_dict(private=False)}
    for header in (own, other, rsa):
        answer = ask_token(coded, holder.signed(holder.claims(), **header))
        assert error(answer) == "invalid_dpop_proof"


def test_a_weak_key_is_none(coded, holder):
    """Whoever can find the other half holds the token too."""
    holder.alg, holder.key = "RS256", RSAKey.generate_key(1024, private=True)
    assert error(ask_token(coded, holder.prove())) == "invalid_dpop_proof"


@pytest.mark.parametrize(
    "claims",
    [
        *({"htm": "GET"}, {"htm": "post"}, {"htm": None}, {"htm": ["POST"]}),
        *({"htu": f"{ISSUER}/userinfo"}, {"htu": f"{ISSUER}/token/"}, {"htu": None}, {"htu": 7}),
        *({"htu": "/token"}, {"htu": "https://localhost:8000/token"}, {"htu": "http://[/token"}),
        *({"htu": "http://x@localhost:8000/token"}, {"htu": "http://localhost:99999/token"}),
        *({"iat": None}, {"iat": 1}, {"iat": 99999999999}, {"iat": 10**400}, {"iat": "now"}),
        *({"iat": True}, {"iat": 1e400}, {"iat": [1]}),
        *({"jti": None}, {"jti": ""}, {"jti": 7}, {"jti": "\ud800"}),
    ],
    ids=lambda claims: str(claims)[:40],
)
def test_what_it_says_must_be_right(coded, holder, claims):
    assert error(ask_token(coded, holder.prove(**claims))) == "invalid_dpop_proof"


def test_the_address_counts_and_not_how_it_is_written(coded, holder):
    htu = "HTTP://LOCALHOST:8000/token?query#fragment"
    assert redeem(coded, headers=holder.prove(htu=htu))["token_type"] == "DPoP"


@pytest.mark.parametrize(
    "text",
    ["", "x", "a.b.c", "..", "é.é.é", "e30.e30.e30", "eyJhbGciOiJub25lIn0.e30.", "x" * 8000],
    ids=lambda text: text[:9],
)
def test_no_text_makes_it_fall(coded, tokens, text):
    assert error(ask_token(coded, {"DPoP": text})) == "invalid_dpop_proof"
    headers = {"Authorization": f"DPoP {tokens['access_token']}", "DPoP": text}
    assert error(show(coded, headers), 401) == "invalid_dpop_proof"


def test_two_proofs_are_none(coded, holder):
    both = {"DPoP": f"{holder.prove()['DPoP']}, {holder.prove()['DPoP']}"}
    assert error(ask_token(coded, both)) == "invalid_dpop_proof"


def test_nothing_deep_or_long_makes_it_fall(coded, holder):
    deep = holder.claims()
    for _ in range(200):
        deep = {"x": deep}
    assert error(ask_token(coded, holder.signed(deep))) == "invalid_dpop_proof"
    long = holder.prove(jti="x" * 3000)
    assert ask_token(coded, long).status_code == 200


# -- Nonces and reuse -------------------------------------------------------------------------------------


def test_without_our_nonce_it_is_asked_for_and_the_code_is_not_burnt(coded):
    holder = Holder()
    for nonce in (None, "x", "é", ""):
        answer = ask_token(coded, holder.prove(nonce=nonce))
        assert error(answer) == "use_dpop_nonce"
    holder.nonce = answer.headers["DPoP-Nonce"]
    answer = ask_token(coded, holder.prove())
    assert answer.get_json()["token_type"] == "DPoP"
    holder.nonce = answer.headers["DPoP-Nonce"]
    assert error(ask_token(coded, holder.prove())) == "invalid_grant", "not the nonce, but the code"


def test_a_nonce_is_good_for_a_minute_or_two(coded, holder):
    for seconds, answered in ((59, "invalid_grant"), (121, "use_dpop_nonce")):
        with time_machine.travel(clock.now() + timedelta(seconds=seconds), tick=True):
            answer = ask_token(coded, holder.prove(), code="x")
            assert error(answer) == answered
    assert answer.headers["DPoP-Nonce"] != holder.nonce


def test_without_a_proof_nothing_is_said_of_nonces(coded):
    assert "DPoP-Nonce" not in ask_token(coded).headers


def test_a_proof_is_good_once(coded, holder):
    proof = holder.prove()
    assert "access_token" in redeem(coded, headers=proof)
    coded.authorize(scope=SCOPE)
    assert error(ask_token(coded, proof)) == "invalid_dpop_proof"
    assert redeem(coded, headers=holder.prove()), "the code is not burnt"


def test_it_is_remembered_for_as_long_as_its_nonce_is_good(coded, holder):
    proof = holder.prove()
    with time_machine.travel(clock.now(), tick=False) as now:
        assert error(ask_token(coded, proof, code_verifier="x" * 43)) == "invalid_grant"
        assert "access_token" in redeem(coded, headers=proof)
        coded.authorize(scope=SCOPE)
        now.shift(59)
        assert error(ask_token(coded, proof)) == "invalid_dpop_proof"


def test_many_at_once_with_one_proof_are_one(coded, holder, tokens):
    headers = holder.carry(tokens["access_token"])
    answers = together(8, lambda _: show(coded, headers).status_code)
    assert sorted(answers) == [200] + [401] * 7


def test_what_somebody_used_is_not_used_for_others(coded, holder):
    other = Holder()
    other.nonce = holder.nonce
    redeem(coded, headers=holder.prove(jti="the same"))
    coded.authorize(scope=SCOPE)
    assert redeem(coded, headers=other.prove(jti="the same"))


# -- Bound tokens -----------------------------------------------------------------------------------------


def test_a_bound_token_is_nothing_without_its_key(coded, holder, tokens):
    access = tokens["access_token"]
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


def test_the_proof_must_be_for_the_token_and_the_request(coded, holder, tokens):
    access = tokens["access_token"]
    wrong = ({"ath": None}, {"ath": hash_of("x")}, {"ath": 7}, {"htm": "POST"}, {"jti": ""})
    for claims in wrong:
        refused = show(coded, holder.carry(access, **claims))
        assert error(refused, 401) == "invalid_dpop_proof"
        assert refused.headers["WWW-Authenticate"].startswith('DPoP error="invalid_dpop_proof"')
    refused = show(coded, {"Authorization": f"DPoP {access}"})
    assert error(refused, 401) == "invalid_dpop_proof"


def test_userinfo_asks_for_its_nonce_too(coded, holder, tokens):
    refused = show(coded, holder.carry(tokens["access_token"], nonce="old"))
    assert error(refused, 401) == "use_dpop_nonce"
    challenge = refused.headers["WWW-Authenticate"]
    assert challenge.startswith('DPoP error="use_dpop_nonce"')
    assert 'algs="' in challenge
    again = holder.carry(tokens["access_token"], nonce=refused.headers["DPoP-Nonce"])
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


def test_a_client_that_proves_who_it_is_may_change_its_key(coded, tokens, holder):
    other = Holder()
    other.nonce = holder.nonce
    fresh = refresh(coded, tokens["refresh_token"], headers=other.prove()).get_json()
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
