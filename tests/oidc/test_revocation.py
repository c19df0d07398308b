"""Revocation (RFC 7009)."""

import pytest

from idp.audit.models import AuditEvent
from idp.clients.registration import Registration
from idp.extensions import db
from tests.support import portal
from tests.support.accounts import ADDRESS
from tests.support.journey import ISSUER, Person
from tests.support.statements import counted
from tests.support.tokens import redeem, refresh, userinfo


@pytest.fixture
def tokens(at_home):
    return redeem(at_home.authorize(scope="openid offline_access", prompt="consent"))


def revoke(person, token, **fields):
    client = person.client
    return person.app.test_client().post(
        "/revoke",
        data={"token": token, **fields},
        auth=(client.client_id, client.secret),
        base_url=ISSUER,
    )


def alive(person, token):
    return userinfo(person, token).status_code == 200


def test_an_access_token_ends_alone(person, tokens):
    assert revoke(person, tokens["access_token"]).status_code == 200
    assert not alive(person, tokens["access_token"])
    assert refresh(person, tokens["refresh_token"]).status_code == 200


def test_a_refresh_token_takes_its_access_tokens_along(person, tokens):
    renewed = refresh(person, tokens["refresh_token"]).get_json()
    assert revoke(person, renewed["refresh_token"]).status_code == 200
    for one in (tokens, renewed):
        assert not alive(person, one["access_token"])
    assert refresh(person, renewed["refresh_token"]).status_code == 400
    event = db.session.query(AuditEvent).filter_by(event="token_revoked").one()
    assert (event.client, event.details) == (person.client.client_id, {"kind": "refresh"})


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "something else"])
def test_a_wrong_hint_keeps_nothing_alive(person, tokens, hint):
    assert revoke(person, tokens["access_token"], token_type_hint=hint).status_code == 200
    assert not alive(person, tokens["access_token"])


def test_what_is_no_token_is_gone_already(person, tokens):
    del tokens
    answer = revoke(person, "no token")
    assert (answer.status_code, answer.get_json()) == (200, {})
    assert answer.headers["Cache-Control"] == "no-store"


def test_anothers_token_is_not_revoked(app, inbox, person, tokens):
    other = portal.register(Registration("Other", ("https://other.example/cb",)))
    thief = Person(app, inbox, other)
    assert revoke(thief, tokens["access_token"]).status_code == 400
    assert alive(person, tokens["access_token"])


@pytest.mark.parametrize(
    ("data", "secret", "error"),
    [({}, None, "invalid_request"), ({"token": "x"}, "wrong", "invalid_client")],
)
def test_refusals_are_json(person, tokens, data, secret, error):
    del tokens
    auth = (person.client.client_id, secret or person.client.secret)
    answer = person.app.test_client().post("/revoke", data=data, auth=auth, base_url=ISSUER)
    assert answer.get_json()["error"] == error


def test_a_public_client_revokes_its_own(app, inbox, account):
    del account
    new = Registration("App", ("http://localhost:1/cb",), token_endpoint_auth_method="none")
    person = Person(app, inbox, portal.register(new, "app"))
    person.authorize(scope="openid").two_factors(ADDRESS)
    fields = {
        "grant_type": "authorization_code",
        "code": person.callback["code"],
        "redirect_uri": person.client.redirect_uri,
        "code_verifier": person.verifier,
        "client_id": "app",
    }
    client = app.test_client()
    token = client.post("/token", data=fields, base_url=ISSUER).get_json()["access_token"]
    given_up = {"token": token, "client_id": "app"}
    assert client.post("/revoke", data=given_up, base_url=ISSUER).status_code == 200
    assert not alive(person, token)


def test_it_costs_few_statements(person, tokens):
    with counted() as statements:
        revoke(person, tokens["refresh_token"])
    assert len(statements) <= 4, statements
