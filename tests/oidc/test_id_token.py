"""ID tokens (OIDC Core 2 and 3.1.3.6)."""

import base64
import hashlib
import json

import pytest

from idp import clock
from idp.clients import manage
from idp.extensions import transaction
from idp.keys import signing
from tests.support.accounts import ADDRESS
from tests.support.tokens import claims_of, redeem


def header_of(token):
    part = token.split(".")[0]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def test_it_says_who_when_how_and_for_whom_and_nothing_else(signed_in):
    tokens = redeem(signed_in)
    claims = claims_of(tokens)
    assert set(claims) == {
        *("iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "amr", "acr", "sid"),
        "at_hash",
    }
    assert claims["iss"] == "http://localhost:8000"
    assert claims["aud"] == signed_in.client.client_id
    assert claims["nonce"] == "the nonce"
    assert claims["exp"] - claims["iat"] == 600
    assert abs(claims["auth_time"] - clock.now().timestamp()) < 60
    half = hashlib.sha256(tokens["access_token"].encode()).digest()[:16]
    assert claims["at_hash"] == base64.urlsafe_b64encode(half).rstrip(b"=").decode()


def test_without_a_nonce_there_is_none(person, account):
    person.authorize(nonce=None).two_factors(ADDRESS)
    assert "nonce" not in claims_of(redeem(person))


@pytest.mark.parametrize("alg", ["RS256", "ES256"])
def test_it_is_signed_as_registered_with_a_published_key(signed_in, alg):
    with transaction():
        changes = {"id_token_signed_response_alg": alg}
        manage.update_client(signed_in.client.client_id, changes)
    tokens = redeem(signed_in)
    header = header_of(tokens["id_token"])
    published = {key["kid"]: key for key in signing.public_jwks()["keys"]}
    assert header["alg"] == alg
    assert header["typ"] == "JWT"
    assert published[header["kid"]]["alg"] == alg
    assert claims_of(tokens)["sub"]


def test_the_subject_is_stable_and_says_nothing(signed_in, person):
    first = claims_of(redeem(signed_in))["sub"]
    signed_in.authorize(prompt="login").two_factors(ADDRESS)
    assert claims_of(redeem(signed_in))["sub"] == first
    assert "jeanne" not in first
    assert len(first) >= 22
