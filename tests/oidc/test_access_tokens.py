"""JWT access tokens (RFC 9068), for resource servers that are registered."""

from datetime import timedelta

import pytest
import time_machine

from idp import clock
from idp.accounts.account import Account
from idp.clients import manage
from idp.clients.registration import Registration
from idp.extensions import transaction
from tests.support import portal
from tests.support.apis import API, OTHER, allow, opened, register_api
from tests.support.journey import ISSUER
from tests.support.proofs import change_account
from tests.support.tokens import claims_of, introspect, redeem, refresh, userinfo

INACTIVE = {"active": False}


@pytest.fixture
def api(app):
    return register_api()


@pytest.fixture
def ready(at_home, api):
    allow(at_home.client, API)
    return at_home


def tokens_for_api(person):
    return redeem(person.authorize(scope="openid read write offline_access", resource=API))


def test_it_says_who_for_whom_by_whom_and_how(ready):
    tokens = tokens_for_api(ready)
    header, claims = opened(tokens["access_token"])
    of_person = claims_of(tokens)
    assert (header["typ"], header["alg"]) == ("at+jwt", "RS256")
    for name in ("iss", "sub", "auth_time", "acr", "amr"):
        assert claims[name] == of_person[name]
    assert (claims["aud"], claims["client_id"]) == (API, ready.client.client_id)
    assert claims["scope"] == tokens["scope"] == "read write"
    assert claims["exp"] - claims["iat"] == tokens["expires_in"] == 600
    assert "cnf" not in claims
    again = opened(refresh(ready, tokens["refresh_token"]).get_json()["access_token"])[1]
    assert again["jti"] != claims["jti"]
    assert again["auth_time"] == claims["auth_time"]


def test_life_algorithm_and_format_are_the_resource_servers(ready, api):
    changes = {"resource_token_lifetime": 3600, "id_token_signed_response_alg": "ES256"}
    with transaction():
        manage.update_client(api.client_id, changes)
    tokens = tokens_for_api(ready)
    header, claims = opened(tokens["access_token"])
    assert (header["alg"], claims["exp"] - claims["iat"]) == ("ES256", 3600)
    with time_machine.travel(clock.now() + timedelta(minutes=59), tick=True):
        assert introspect(api, tokens["access_token"])["active"]
    with transaction():
        manage.update_client(api.client_id, {"resource_token_format": "opaque"})
    opaque = tokens_for_api(ready)["access_token"]
    assert len(opaque) == 43
    assert introspect(api, opaque)["aud"] == API


def test_it_is_no_id_token_and_an_id_token_is_none(ready):
    """RFC 9068 4, 5: neither passes for the other."""
    tokens = tokens_for_api(ready)
    hint = {"id_token_hint": tokens["access_token"], "prompt": "none"}
    assert ready.authorize(**hint).callback["error"] == "invalid_request"
    assert userinfo(ready, tokens["id_token"]).status_code == 401


def test_an_altered_one_is_nothing_to_us(ready, api):
    token = tokens_for_api(ready)["access_token"]
    assert introspect(api, token)["active"]
    head, body, signature = token.split(".")
    for altered in (f"{head}.{body}.", f"{head}.{body}.{signature}=", f"{head}.{body}.AAAA"):
        assert introspect(api, altered) == INACTIVE


@pytest.mark.parametrize("way", ["revoked", "epoch", "family"])
def test_where_we_are_asked_it_dies_before_its_time(ready, api, way):
    tokens = tokens_for_api(ready)
    if way == "epoch":
        change_account(1, epoch=Account.epoch + 1)
    else:
        auth = (ready.client.client_id, ready.client.secret)
        held = tokens["access_token" if way == "revoked" else "refresh_token"]
        ready.app.test_client().post("/revoke", data={"token": held}, auth=auth, base_url=ISSUER)
    assert introspect(api, tokens["access_token"]) == INACTIVE


def test_the_resource_server_is_told_of_its_own_only(ready, api, app):
    other = register_api(OTHER, "look")
    tokens = tokens_for_api(ready)
    told = introspect(api, tokens["access_token"])
    assert (told["active"], told["aud"], told["scope"]) == (True, API, "read write")
    assert (told["token_type"], told["client_id"]) == ("Bearer", ready.client.client_id)
    claims = claims_of(tokens)
    said = ("sub", "auth_time", "acr", "amr")
    assert {name: told[name] for name in said} == {name: claims[name] for name in said}
    assert introspect(ready.client, tokens["access_token"]) == told, "whoever holds it is told too"
    assert introspect(other, tokens["access_token"]) == INACTIVE
    assert introspect(api, tokens["refresh_token"]) == INACTIVE
    ours = redeem(ready.authorize(scope="openid"))["access_token"]
    assert introspect(api, ours) == INACTIVE
    plain = portal.register(Registration("Other", ("https://o.example/cb",)))
    assert introspect(plain, ours) == INACTIVE, "no audience is nobody's audience"


@pytest.mark.parametrize(("of_client", "of_api"), [(True, False), (False, True), (True, True)])
def test_nobody_learns_a_name_that_others_know_the_person_by(ready, api, of_client, of_api):
    """RFC 9068 6: the client can read the token, so a public sub would undo its pairwise one."""
    public = claims_of(redeem(ready.authorize(scope="openid")))["sub"]
    with transaction():
        if of_client:
            manage.update_client(ready.client.client_id, {"subject_type": "pairwise"})
        if of_api:
            manage.update_client(api.client_id, {"subject_type": "pairwise"})
    tokens = tokens_for_api(ready)
    sub = opened(tokens["access_token"])[1]["sub"]
    assert sub != public
    assert (sub == claims_of(tokens)["sub"]) is not of_api
    assert introspect(api, tokens["access_token"])["sub"] == sub
