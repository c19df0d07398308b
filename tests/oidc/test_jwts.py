"""Answers signed and encrypted as registered (OIDC Core 5.3.2, 10; OIDC Dynamic Client Registration 2)."""

import json
import time

import pytest
from joserfc import jwe, jwt

from idp.clients.rules import InvalidRegistrationError
from idp.extensions import transaction
from idp.keys import signing
from tests.support.accounts import ADDRESS
from tests.support.agreeing import change_client
from tests.support.journey import ISSUER
from tests.support.signing import make_key, public_set, published, publishing
from tests.support.tokens import ask_token, redeem, userinfo


@pytest.fixture
def every_key(app):
    """A deployment that signs with each algorithm; its further keys go with the test."""
    for alg in ("PS256", "EdDSA"):
        if alg not in signing.available():
            with transaction():
                signing.create(signing.new_pair(alg))
    yield
    with transaction():
        for row in signing.listing():
            if row.alg in {"PS256", "EdDSA"}:
                signing.db.session.delete(row)
        signing._changed()


def read(token, alg):
    decoded = jwt.decode(token, published(), algorithms=[alg])
    assert decoded.header["kid"] in {key["kid"] for key in signing.public_jwks()["keys"]}
    return decoded.claims


@pytest.mark.usefixtures("every_key")
@pytest.mark.parametrize("alg", ["RS256", "PS256", "ES256", "EdDSA"])
def test_both_are_signed_as_registered(signed_in, alg):
    change_client(signed_in, id_token_signed_response_alg=alg, userinfo_signed_response_alg=alg)
    tokens = redeem(signed_in)
    claims = read(tokens["id_token"], alg)
    assert claims["at_hash"]
    answer = userinfo(signed_in, tokens["access_token"])
    assert answer.mimetype == "application/jwt"
    told = read(answer.get_data(as_text=True), alg)
    assert told["iss"] == ISSUER
    assert told["aud"] == signed_in.client.client_id
    assert told["sub"] == claims["sub"]
    assert told["email"] == ADDRESS


def test_an_algorithm_without_a_key_cannot_be_registered(signed_in):
    for field in ("id_token_signed_response_alg", "userinfo_signed_response_alg"):
        with pytest.raises(InvalidRegistrationError) as refused:
            change_client(signed_in, **{field: "PS256"})
        assert refused.value.field == field


def test_discovery_names_what_has_a_key(client, every_key):
    document = client.get("/.well-known/openid-configuration", base_url=ISSUER).get_json()
    assert document["id_token_signing_alg_values_supported"] == ["RS256", "ES256", "PS256", "EdDSA"]
    assert "none" not in document["userinfo_signing_alg_values_supported"]
    assert "RSA1_5" not in document["id_token_encryption_alg_values_supported"]


@pytest.mark.parametrize(
    ("alg", "enc", "kind"),
    [
        ("RSA-OAEP", "A128CBC-HS256", "RS256"),
        ("RSA-OAEP-256", "A256GCM", "RS256"),
        ("ECDH-ES", "A128GCM", "ES256"),
        ("ECDH-ES+A128KW", "A256CBC-HS512", "ES256"),
        ("ECDH-ES+A256KW", "", "ES256"),
    ],
)
def test_both_are_encrypted_as_registered(signed_in, alg, enc, kind):
    own = make_key(kind)
    change_client(
        signed_in,
        jwks=public_set(own),
        id_token_encrypted_response_alg=alg,
        id_token_encrypted_response_enc=enc,
        userinfo_encrypted_response_alg=alg,
        userinfo_encrypted_response_enc=enc,
    )
    tokens = redeem(signed_in)
    algorithms = [alg, enc or "A128CBC-HS256"]
    opened = jwe.decrypt_compact(tokens["id_token"], own, algorithms=algorithms)
    assert opened.headers()["cty"] == "JWT"
    assert opened.headers()["kid"] == own.kid
    claims = read(opened.plaintext.decode(), "RS256")
    assert claims["nonce"] == "the nonce"
    answer = userinfo(signed_in, tokens["access_token"])
    assert answer.mimetype == "application/jwt"
    plain = jwe.decrypt_compact(answer.get_data(), own, algorithms=algorithms)
    assert json.loads(plain.plaintext)["sub"] == claims["sub"]


def test_userinfo_may_be_signed_and_then_encrypted(signed_in):
    own = make_key("RS256")
    change_client(
        signed_in,
        jwks=public_set(own),
        userinfo_signed_response_alg="ES256",
        userinfo_encrypted_response_alg="RSA-OAEP",
    )
    answer = userinfo(signed_in, redeem(signed_in)["access_token"])
    algorithms = ["RSA-OAEP", "A128CBC-HS256"]
    opened = jwe.decrypt_compact(answer.get_data(), own, algorithms=algorithms)
    assert read(opened.plaintext.decode(), "ES256")["email"] == ADDRESS


def test_the_key_for_encryption_is_taken_where_there_is_one(signed_in):
    signs, encrypts = make_key("RS256", "signs"), make_key("RS256", "encrypts")
    jwks = public_set(signs, encrypts)
    jwks["keys"][1]["use"] = "enc"
    change_client(signed_in, jwks=jwks, id_token_encrypted_response_alg="RSA-OAEP")
    token = redeem(signed_in)["id_token"]
    algorithms = ["RSA-OAEP", "A128CBC-HS256"]
    assert (
        jwe.decrypt_compact(token, encrypts, algorithms=algorithms).headers()["kid"] == "encrypts"
    )


@pytest.mark.parametrize(
    "odd",
    [
        {"generate": "RSA", "size": 16384},
        {"generate": "oct", "size": 8 * 10**13},
        {"generate": "EC"},
        {"k": "AA"},
        {"x": "AA", "crv": "P-256"},
    ],
    ids=str,
)
def test_a_key_is_what_its_type_makes_of_it_and_gives_no_orders(signed_in, odd):
    """jwcrypto would make another key, of any size, for each answer."""
    key = make_key("RS256")
    said = {"keys": [{**public_set(key)["keys"][0], **odd}]}
    change_client(signed_in, jwks=said, id_token_encrypted_response_alg="RSA-OAEP")
    began = time.process_time()
    sealed = redeem(signed_in)["id_token"]
    assert time.process_time() - began < 1
    assert jwe.decrypt_compact(sealed, key, algorithms=["RSA-OAEP", "A128CBC-HS256"]).plaintext


@pytest.mark.usefixtures("near")
def test_keys_at_an_address_are_asked_for(signed_in):
    own = make_key("RS256")
    with publishing(own) as server:
        change_client(signed_in, jwks_uri=server.url, id_token_encrypted_response_alg="RSA-OAEP")
        token = redeem(signed_in)["id_token"]
    algorithms = ["RSA-OAEP", "A128CBC-HS256"]
    assert jwe.decrypt_compact(token, own, algorithms=algorithms).plaintext


def test_without_a_key_that_fits_nothing_is_told_in_the_open(signed_in):
    change_client(
        signed_in,
        jwks=public_set(make_key("ES256")),
        id_token_encrypted_response_alg="RSA-OAEP",
        userinfo_encrypted_response_alg="RSA-OAEP",
    )
    answer = ask_token(signed_in)
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_request")
    assert "access_token" not in answer.get_json()
    change_client(signed_in, id_token_encrypted_response_alg="")
    refused = userinfo(signed_in, redeem(signed_in)["access_token"])
    assert refused.status_code == 400
    assert ADDRESS not in refused.get_data(as_text=True)


@pytest.mark.parametrize(
    "changes",
    [
        {"id_token_encrypted_response_alg": "RSA1_5"},
        {"id_token_encrypted_response_alg": "dir"},
        {"userinfo_encrypted_response_enc": "A192GCM"},
        {"userinfo_signed_response_alg": "none"},
        {"userinfo_signed_response_alg": "HS256"},
    ],
)
def test_what_is_weak_or_unknown_cannot_be_registered(signed_in, changes):
    with pytest.raises(InvalidRegistrationError):
        change_client(signed_in, jwks=public_set(make_key("RS256")), **changes)


def test_encryption_needs_a_key(signed_in):
    with pytest.raises(InvalidRegistrationError) as refused:
        change_client(signed_in, id_token_encrypted_response_alg="RSA-OAEP")
    assert refused.value.field == "jwks"
