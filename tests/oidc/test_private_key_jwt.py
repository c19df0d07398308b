"""Clients that sign for themselves (RFC 7523 3, OIDC Core 9)."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import time_machine

from idp import clock
from idp.clients import keys, manage, registry
from idp.extensions import transaction
from idp.oidc import client_jwt
from tests.support.journey import ISSUER
from tests.support.settings import override
from tests.support.signing import assertion, make_key, public_set, publishing, sign

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@pytest.fixture(scope="module")
def key():
    return make_key()


def register(person, **changes):
    """Let the portal sign for itself."""
    values = {"token_endpoint_auth_method": "private_key_jwt", **changes}
    with transaction():
        manage.update_client(person.client.client_id, values)


def post(person, signed, path="/token", **changes):
    fields = {
        "grant_type": "authorization_code",
        "code": (person.callback or {}).get("code"),
        "redirect_uri": person.client.redirect_uri,
        "code_verifier": person.verifier,
        "client_assertion_type": TYPE,
        "client_assertion": signed,
    } | changes
    kept = {name: value for name, value in fields.items() if value is not None}
    return person.app.test_client().post(path, data=kept, base_url=ISSUER)


def claims(person, **changes):
    return assertion(person.client.client_id, **changes)


@pytest.mark.parametrize("alg", ["RS256", "PS256", "ES256", "Ed25519", "EdDSA"])
def test_a_signature_of_the_registered_key_is_proof(signed_in, alg):
    own = make_key(alg)
    register(signed_in, jwks=public_set(own))
    assert post(signed_in, sign(own, claims(signed_in), alg)).status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": ISSUER},
        {"aud": [ISSUER]},
        {"aud": f"{ISSUER}/token"},
        {"aud": [ISSUER, f"{ISSUER}/token"]},
        {"iat": None},
    ],
)
def test_it_may_be_for_the_issuer_or_the_endpoint(signed_in, key, changes):
    register(signed_in, jwks=public_set(key))
    assert post(signed_in, sign(key, claims(signed_in, **changes))).status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "https://other.example"},
        {"aud": [ISSUER, "https://other.example"]},
        {"aud": []},
        {"aud": None},
        {"aud": {"x": 1}},
        {"aud": [["x"]]},
        {"iss": "other"},
        {"iss": None},
        {"sub": "other"},
        {"sub": None},
        {"sub": ["x"]},
        {"exp": None},
        {"exp": "soon"},
        {"exp": True},
        {"exp": 1},
        {"exp": 99999999999},
        {"exp": 1e400},
        {"nbf": 99999999999},
        {"iat": 99999999999},
        {"jti": None},
        {"jti": ""},
        {"jti": 7},
    ],
    ids=str,
)
def test_what_it_says_must_be_right(signed_in, key, changes):
    register(signed_in, jwks=public_set(key))
    answer = post(signed_in, sign(key, claims(signed_in, **changes)))
    assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_client")
    assert post(signed_in, sign(key, claims(signed_in))).status_code == 200


@pytest.mark.parametrize("late", [0, 29])
def test_it_may_live_for_an_hour_by_a_clock_that_is_a_little_fast(signed_in, key, late):
    register(signed_in, jwks=public_set(key))
    soon = int(clock.now().timestamp()) + late
    lives = {"iat": soon, "exp": soon + 3600}
    assert post(signed_in, sign(key, claims(signed_in, **lives))).status_code == 200
    longer = {**lives, "exp": soon + 3660}
    refused = post(signed_in, sign(key, claims(signed_in, **longer))).get_json()
    assert refused["error"] == "invalid_client"


def test_it_is_good_once(signed_in, key):
    register(signed_in, jwks=public_set(key))
    signed = sign(key, claims(signed_in))
    assert post(signed_in, signed, code="x").get_json()["error"] == "invalid_grant"
    again = post(signed_in, signed)
    assert (again.status_code, again.get_json()["error"]) == (401, "invalid_client")
    assert "jti" in again.get_json()["error_description"]


def test_it_is_remembered_for_as_long_as_it_is_good(signed_in, key):
    register(signed_in, jwks=public_set(key))
    with time_machine.travel(clock.now(), tick=False) as now:
        signed = sign(key, claims(signed_in))
        assert post(signed_in, signed, code="x").get_json()["error"] == "invalid_grant"
        last = claims(signed_in)["exp"] + client_jwt.LEEWAY - int(clock.now().timestamp())
        now.shift(last - 1)
        assert "jti" in post(signed_in, signed).get_json()["error_description"]
        fresh = sign(key, claims(signed_in))
        assert post(signed_in, fresh, code="x").get_json()["error"] == "invalid_grant"


def test_a_signature_of_another_key_is_none(signed_in, key):
    register(signed_in, jwks=public_set(key))
    for stranger in (make_key(), make_key(kid="two"), make_key(kid=None), make_key("RS256")):
        alg = "RS256" if stranger.key_type == "RSA" else "ES256"
        assert post(signed_in, sign(stranger, claims(signed_in), alg)).status_code == 401


@pytest.mark.parametrize(
    "text",
    ["", "x", "a.b.c", "..", "é.é.é", "e30.e30.e30", "eyJhbGciOiJub25lIn0.e30.", "x" * 20_000],
)
def test_no_text_makes_it_fall(signed_in, key, text):
    register(signed_in, jwks=public_set(key))
    assert post(signed_in, text).status_code in {400, 401}


def test_alg_none_and_a_public_key_as_secret_are_no_proof(signed_in, key):
    register(signed_in, jwks=public_set(key))
    body = sign(key, claims(signed_in)).split(".")[1]
    for header in ("eyJhbGciOiJub25lIn0", "eyJhbGciOiJIUzI1NiJ9"):
        assert post(signed_in, f"{header}.{body}.").status_code == 401
        assert post(signed_in, f"{header}.{body}.AAAA").status_code == 401


def test_only_the_registered_algorithm_will_do(signed_in):
    own = make_key("RS256")
    register(signed_in, jwks=public_set(own), token_endpoint_auth_signing_alg="PS256")
    assert post(signed_in, sign(own, claims(signed_in), "RS256")).status_code == 401
    assert post(signed_in, sign(own, claims(signed_in), "PS256")).status_code == 200


def test_a_key_for_encryption_signs_nothing(signed_in):
    own = make_key()
    jwks = public_set(own)
    jwks["keys"][0]["use"] = "enc"
    register(signed_in, jwks=jwks)
    assert post(signed_in, sign(own, claims(signed_in))).status_code == 401


@pytest.mark.parametrize("name", ["use", "alg", "kid", "kty", "crv"])
@pytest.mark.parametrize("odd", [["sig"], {}, 1, None], ids=str)
def test_a_key_with_odd_words_is_passed_over(key, name, odd):
    jwks = public_set(key, make_key(kid="two"))
    jwks["keys"][1][name] = odd
    assert [one.kid for one in keys.read(jwks)] == ["one"]


def test_another_type_of_assertion_is_refused(signed_in, key):
    register(signed_in, jwks=public_set(key))
    signed = sign(key, claims(signed_in))
    for kind in ("urn:ietf:params:oauth:client-assertion-type:saml2-bearer", "", None):
        assert post(signed_in, signed, client_assertion_type=kind).status_code == 401


def test_a_secret_is_no_proof_for_it_and_an_assertion_none_for_a_client_with_a_secret(
    signed_in, key
):
    signed = sign(key, claims(signed_in))
    with transaction():
        manage.update_client(signed_in.client.client_id, {"jwks": public_set(key)})
    assert post(signed_in, signed).status_code == 401
    register(signed_in)
    secret = {"client_id": signed_in.client.client_id, "client_secret": signed_in.client.secret}
    alone = {"client_assertion": None, "client_assertion_type": None}
    assert post(signed_in, "", **secret, **alone).status_code == 401
    named = {"client_id": signed_in.client.client_id}
    assert post(signed_in, "", **named, **alone).status_code == 401


def test_two_ways_at_once_are_refused(signed_in, key):
    register(signed_in, jwks=public_set(key))
    signed = sign(key, claims(signed_in))
    both = post(signed_in, signed, client_secret=signed_in.client.secret)
    assert both.get_json()["error"] == "invalid_request"


def test_the_form_may_name_the_client_but_no_other(signed_in, key):
    register(signed_in, jwks=public_set(key))
    name = signed_in.client.client_id
    assert post(signed_in, sign(key, claims(signed_in)), client_id="other").status_code == 401
    assert post(signed_in, sign(key, claims(signed_in)), client_id=name).status_code == 200


def test_it_is_proof_at_every_endpoint(signed_in, key):
    register(signed_in, jwks=public_set(key))
    tokens = post(signed_in, sign(key, claims(signed_in))).get_json()
    for path in ("/introspect", "/revoke"):
        signed = sign(key, claims(signed_in, aud=ISSUER + path))
        asked = post(signed_in, signed, path, token=tokens["access_token"])
        assert asked.status_code == 200


@pytest.mark.usefixtures("near")
def test_keys_at_an_address_are_asked_for_once_and_again_for_a_new_one(signed_in, key, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("idp.clients.keys.time.monotonic", lambda: now[0])
    with publishing(key) as server:
        register(signed_in, jwks_uri=server.url)
        answer = post(signed_in, sign(key, claims(signed_in)), code="x")
        assert answer.get_json()["error"] == "invalid_grant"
        post(signed_in, sign(key, claims(signed_in)), code="x")
        assert server.asked == 1
        fresh = make_key(kid="fresh")
        server.content = public_set(fresh)
        assert post(signed_in, sign(fresh, claims(signed_in))).status_code == 401
        assert server.asked == 1, "left alone for a while, whatever anybody sends"
        now[0] += 31
        assert post(signed_in, sign(fresh, claims(signed_in))).status_code == 200
        assert server.asked == 2
        assert post(signed_in, sign(key, claims(signed_in))).status_code == 401


@pytest.mark.usefixtures("near")
@pytest.mark.parametrize("trouble", ["status", "redirect", "shape", "gone"])
def test_an_address_that_fails_keeps_what_is_known_and_lets_nobody_in(
    signed_in, key, monkeypatch, trouble
):
    now = [0.0]
    monkeypatch.setattr("idp.clients.keys.time.monotonic", lambda: now[0])
    with publishing(key) as server, publishing(make_key(kid="new")) as elsewhere:
        register(signed_in, jwks_uri=server.url)
        post(signed_in, sign(key, claims(signed_in)), code="x")
        now[0] += 301
        if trouble == "status":
            server.status = 503
        elif trouble == "redirect":
            server.status, server.location = 302, elsewhere.url
        elif trouble == "shape":
            server.content = ["x"]
        else:
            server.stop()
        answer = post(signed_in, sign(key, claims(signed_in)), code="x")
        assert answer.get_json()["error"] == "invalid_grant", "the known key still is one"
        assert elsewhere.asked == 0


@pytest.mark.usefixtures("near")
def test_addresses_of_strangers_hold_two_threads_at_most(signed_in, key):
    """However many clients somebody registered whose addresses never answer."""
    began, app = time.monotonic(), signed_in.app
    with publishing(key) as server:
        server.delay = 1
        register(signed_in, jwks_uri=server.url)
        known = registry.find(signed_in.client.client_id)
        strange = [
            replace(known, by_itself=True, jwks_uri=f"{server.url}?{number}") for number in range(6)
        ]

        def load(client):
            with app.app_context():
                keys.load(client, None)
                return time.monotonic() - began

        with ThreadPoolExecutor(6) as pool:
            took = sorted(pool.map(load, strange))
    assert took[3] < 0.9 < took[4]


@pytest.mark.usefixtures("near")
def test_an_address_that_failed_at_first_is_asked_again_soon(signed_in, key, monkeypatch):
    """Also for an assertion that names no key."""
    now = [0.0]
    monkeypatch.setattr("idp.clients.keys.time.monotonic", lambda: now[0])
    nameless = make_key(kid=None)
    with publishing(nameless) as server:
        register(signed_in, jwks_uri=server.url)
        server.status = 503
        assert post(signed_in, sign(nameless, claims(signed_in)), code="x").status_code == 401
        server.status = 200
        now[0] += 31
        answer = post(signed_in, sign(nameless, claims(signed_in)), code="x")
    assert answer.get_json()["error"] == "invalid_grant"


@pytest.mark.usefixtures("near")
def test_many_who_come_at_once_ask_once_and_all_get_in(signed_in, key):
    """Among them whoever names a key that is not there: nobody else is kept out by it."""
    with publishing(key) as server:
        server.delay = 0.3
        register(signed_in, jwks_uri=server.url)
        name, app = signed_in.client.client_id, signed_in.app
        registered = registry.find(name)
        kids = [None, "one", "nowhere"] * 4

        def load(kid):
            with app.app_context():
                keys.load(registered, kid)
                return len(keys.fitting(registered, "ES256", "one"))

        with ThreadPoolExecutor(len(kids)) as pool:
            assert list(pool.map(load, kids)) == [1] * len(kids)
        assert server.asked == 1


@pytest.mark.usefixtures("near")
def test_no_address_of_the_neighbourhood_is_asked(app, signed_in, key):
    with override(app, client_networks=()), publishing(key) as server:
        register(signed_in, jwks_uri=server.url)
        assert post(signed_in, sign(key, claims(signed_in))).status_code == 401
        assert server.asked == 0
