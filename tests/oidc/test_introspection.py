"""Introspection (RFC 7662), of a client's own tokens."""

from datetime import timedelta

import pytest
import time_machine

from idp import clock
from idp.accounts.account import Account
from idp.clients.registration import Registration
from idp.extensions import db
from tests.support import portal
from tests.support.journey import ISSUER, Person
from tests.support.proofs import change_account
from tests.support.tokens import redeem, refresh

INACTIVE = {"active": False}


@pytest.fixture
def tokens(at_home):
    return redeem(at_home.authorize(scope="openid offline_access", prompt="consent"))


def introspect(person, token, **fields):
    client = person.client
    answer = person.app.test_client().post(
        "/introspect",
        data={"token": token, **fields},
        auth=(client.client_id, client.secret),
        base_url=ISSUER,
    )
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.get_json()


def test_a_living_access_token(person, tokens):
    told = introspect(person, tokens["access_token"])
    assert (told["active"], told["token_type"]) == (True, "Bearer")
    assert told["sub"] == db.session.query(Account).one().sub
    assert (told["iss"], told["client_id"]) == (ISSUER, person.client.client_id)
    assert told["scope"] == tokens["scope"]
    assert told["exp"] - told["iat"] == 600


def test_a_living_refresh_token_has_no_type(person, tokens):
    told = introspect(person, tokens["refresh_token"], token_type_hint="refresh_token")
    assert told["active"] is True
    assert "token_type" not in told


def test_what_was_used_or_is_over_or_never_was_is_inactive(person, tokens):
    refresh(person, tokens["refresh_token"])
    assert introspect(person, tokens["refresh_token"]) == INACTIVE
    assert introspect(person, "no token") == INACTIVE
    with time_machine.travel(clock.now() + timedelta(minutes=11), tick=True):
        assert introspect(person, tokens["access_token"]) == INACTIVE


def test_what_died_with_a_change_of_the_account_is_inactive(person, tokens):
    change_account(1, epoch=Account.epoch + 1)
    assert introspect(person, tokens["access_token"]) == INACTIVE


def test_of_anothers_token_nothing_is_told(app, inbox, tokens):
    other = Person(app, inbox, portal.register(Registration("Other", ("https://o.example/cb",))))
    assert introspect(other, tokens["access_token"]) == INACTIVE


def test_a_public_client_is_not_asked(app, tokens):
    new = Registration("App", ("http://localhost:1/cb",), token_endpoint_auth_method="none")
    portal.register(new, "app")
    data = {"token": tokens["access_token"], "client_id": "app"}
    answer = app.test_client().post("/introspect", data=data, base_url=ISSUER)
    assert answer.get_json()["error"] == "invalid_client"
