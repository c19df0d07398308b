"""Client credentials (RFC 6749 4.4): tokens that a client has for itself."""

from datetime import timedelta

import pytest
import time_machine

from idp import clock
from idp.clients import manage
from idp.clients.registration import Registration
from idp.extensions import db, transaction
from idp.grants.models import Token
from tests.support import portal
from tests.support.apis import API, OTHER, allow, opened, register_api
from tests.support.journey import ISSUER
from tests.support.statements import counted
from tests.support.tokens import introspect

MACHINE = Registration(
    "Batch", grant_types=("client_credentials",), scope="read write", resources=(API,)
)


@pytest.fixture
def api(app):
    return register_api(scope="read write delete")


@pytest.fixture
def machine(api):
    return portal.register(MACHINE)


@pytest.fixture
def ask(client, machine):
    def send(by=machine, **fields):
        data = {"grant_type": "client_credentials"} | fields
        return client.post("/token", data=data, auth=(by.client_id, by.secret), base_url=ISSUER)

    return send


def error(answer):
    return answer.status_code, answer.get_json()["error"]


def test_it_is_for_the_client_itself_and_its_one_resource_server(ask, machine, api):
    tokens = ask().get_json()
    assert set(tokens) == {"access_token", "expires_in", "scope", "token_type"}
    header, claims = opened(tokens["access_token"])
    assert header["typ"] == "at+jwt"
    assert claims["sub"] == claims["client_id"] == machine.client_id
    assert (claims["aud"], claims["scope"]) == (API, "read write")
    assert not {"acr", "amr", "auth_time"} & set(claims)
    told = introspect(api, tokens["access_token"])
    assert (told["active"], told["sub"], told["aud"]) == (True, machine.client_id, API)
    assert db.session.query(Token).count() == 0, "of people only"


def test_the_scope_can_be_less_and_never_more(ask):
    assert ask(scope="write write").get_json()["scope"] == "write"
    for more in ("read delete", "openid", "offline_access", "read\x00", "é"):
        assert error(ask(scope=more)) == (400, "invalid_scope")


def test_of_several_resource_servers_one_is_named(ask, machine):
    register_api(OTHER, "look")
    allow(machine, API, OTHER, scope="look")
    assert error(ask()) == (400, "invalid_target")
    assert ask(resource=OTHER).get_json()["scope"] == "look"
    for wrong in (f"{ISSUER}/userinfo", "https://nowhere.example/", "", [API, OTHER]):
        assert error(ask(resource=wrong)) == (400, "invalid_target")


def test_it_dies_in_time_and_when_it_is_given_up(ask, machine, api, client):
    token = ask().get_json()["access_token"]
    assert introspect(machine, token)["active"]
    with time_machine.travel(clock.now() + timedelta(minutes=11), tick=True):
        assert introspect(api, token) == {"active": False}
    auth = (machine.client_id, machine.secret)
    client.post("/revoke", data={"token": token}, auth=auth, base_url=ISSUER)
    assert introspect(api, token) == {"active": False}


def test_nobody_else_can_give_it_up_or_open_userinfo_with_it(ask, api, client):
    token = ask().get_json()["access_token"]
    auth = (api.client_id, api.secret)
    client.post("/revoke", data={"token": token}, auth=auth, base_url=ISSUER)
    assert introspect(api, token)["active"]
    bearer = {"Authorization": f"Bearer {token}"}
    assert client.get("/userinfo", headers=bearer, base_url=ISSUER).status_code == 401


def test_it_goes_with_its_client(ask, machine, api):
    token = ask().get_json()["access_token"]
    with transaction():
        manage.remove(machine.client_id)
    assert introspect(api, token) == {"active": False}


def test_only_for_clients_registered_so(ask, portal):
    assert error(ask(by=portal)) == (400, "unauthorized_client")


def test_a_wrong_secret_gets_nothing(client, machine):
    data = {"grant_type": "client_credentials"}
    auth = (machine.client_id, "wrong")
    answer = client.post("/token", data=data, auth=auth, base_url=ISSUER)
    assert error(answer) == (401, "invalid_client")


def test_it_costs_one_statement(ask):
    ask()
    with counted() as statements:
        ask()
    assert len(statements) == 1, statements
