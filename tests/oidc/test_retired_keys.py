"""ID tokens that come back as hints when their key signs no more (OIDC Core 3.1.2.1, RP-Initiated Logout 2)."""

from dataclasses import replace

import pytest
from sqlalchemy import delete

from idp import clock
from idp.extensions import db, transaction
from idp.keys import signing
from idp.keys.models import SigningKey
from tests.support.accounts import ADDRESS
from tests.support.journey import ISSUER, Person
from tests.support.portal import PORTAL, register
from tests.support.tokens import redeem

ALG = "EdDSA"
BYE = "https://portal.example/bye"


@pytest.fixture
def kid(app):
    """A key of an algorithm that no other test signs with."""
    with transaction():
        made = signing.create(signing.new_pair(ALG)).kid
    yield made
    with transaction():
        db.session.execute(delete(SigningKey).where(SigningKey.alg == ALG))
        signing._changed()


@pytest.fixture
def signed_in(app, inbox, account, kid):
    client = register(replace(PORTAL, id_token_signed_response_alg=ALG))
    return Person(app, inbox, client).authorize().two_factors(ADDRESS)


@pytest.fixture
def hint(signed_in):
    return redeem(signed_in)["id_token"]


def succeeded(kid):
    """Another key took over, and the former is published on."""
    with transaction():
        signing.rotate(signing.new_pair(ALG)).activate_at = clock.now()


def retired_by_time(kid):
    succeeded(kid)
    with transaction():
        db.session.get(SigningKey, kid).retire_at = clock.now()
        signing._changed()


def revoked(kid):
    with transaction():
        signing.revoke(kid, signing.new_pair(ALG))


def published(person):
    answer = person.app.test_client().get("/jwks", base_url=ISSUER)
    return {key["kid"] for key in answer.get_json()["keys"]}


def logout(person, hint):
    query = {"id_token_hint": hint, "post_logout_redirect_uri": BYE}
    return person.browser.get("/logout", query_string=query, base_url=ISSUER)


@pytest.mark.parametrize(("what", "listed"), [(succeeded, True), (retired_by_time, False)])
def test_time_makes_no_hint_a_stranger(signed_in, hint, kid, what, listed):
    what(kid)
    assert (kid in published(signed_in)) is listed
    assert signed_in.authorize(id_token_hint=hint, prompt="none").callback["code"]
    assert logout(signed_in, hint).headers["Location"] == BYE


def test_what_a_revoked_key_signed_is_believed_no_more(signed_in, hint, kid):
    revoked(kid)
    assert kid not in published(signed_in)
    answer = signed_in.authorize(id_token_hint=hint, prompt="none").callback
    assert answer["error"] == "invalid_request"
    asked = logout(signed_in, hint)
    assert asked.status_code == 200
    assert "Location" not in asked.headers
    assert signed_in.authorize(prompt="none").callback["code"], "the session goes on"


def test_what_is_issued_after_a_revocation_verifies(signed_in, kid):
    revoked(kid)
    fresh = redeem(signed_in.authorize())["id_token"]
    assert logout(signed_in, fresh).headers["Location"] == BYE
