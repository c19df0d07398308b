"""Proof of possession (RFC 9449): proofs, what they bind, and what is bound without them."""

from datetime import timedelta

import pytest
import time_machine
from joserfc.jwk import RSAKey

from idp import clock
from tests.support.dpop import SCOPE, Holder, error, show
from tests.support.journey import ISSUER
from tests.support.signing import make_key
from tests.support.together import together
from tests.support.tokens import ask_token, redeem

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
def test_no_text_makes_it_fall(coded, bound, text):
    assert error(ask_token(coded, {"DPoP": text})) == "invalid_dpop_proof"
    headers = {"Authorization": f"DPoP {bound['access_token']}", "DPoP": text}
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


def test_a_node_whose_clock_is_a_minute_ahead_gives_a_nonce_that_is_good_here(coded):
    holder, here = Holder(), clock.now()
    for minutes, answered in ((1, "invalid_grant"), (2, "use_dpop_nonce")):
        with time_machine.travel(here + timedelta(minutes=minutes), tick=False):
            holder.fetch_nonce()
        with time_machine.travel(here, tick=False):
            assert error(ask_token(coded, holder.prove(), code="x")) == answered


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


def test_many_at_once_with_one_proof_are_one(coded, holder, bound):
    headers = holder.carry(bound["access_token"])
    answers = together(8, lambda _: show(coded, headers).status_code)
    assert sorted(answers) == [200] + [401] * 7


def test_what_somebody_used_is_not_used_for_others(coded, holder):
    other = Holder()
    other.nonce = holder.nonce
    redeem(coded, headers=holder.prove(jti="the same"))
    coded.authorize(scope=SCOPE)
    assert redeem(coded, headers=other.prove(jti="the same"))
