"""Clients at the token endpoint (RFC 6749 2.3, OIDC Core 9)."""

import base64
from datetime import timedelta
from urllib.parse import quote_plus

import pytest
import time_machine

from idp import clock
from idp.clients import manage, rules
from idp.clients.registration import Registration
from idp.extensions import transaction
from idp.oidc import client_authentication
from tests.support.accounts import ADDRESS
from tests.support.journey import ISSUER
from tests.support.tokens import ask_token


def fields(person, **changes):
    values = {
        "grant_type": "authorization_code",
        "code": person.callback["code"],
        "redirect_uri": person.client.redirect_uri,
        "code_verifier": person.verifier,
    } | changes
    return {name: value for name, value in values.items() if value is not None}


def post(person, data, **options):
    return person.app.test_client().post("/token", data=data, base_url=ISSUER, **options)


def by_basic(name, secret):
    value = base64.b64encode(f"{quote_plus(name)}:{quote_plus(secret)}".encode()).decode()
    return {"Authorization": f"Basic {value}"}


def register(person, method):
    """Change how the person's client authenticates."""
    with transaction():
        manage.update_client(person.client.client_id, {"token_endpoint_auth_method": method})


def test_every_method_that_can_be_registered_is_understood():
    assert tuple(client_authentication.METHODS) == rules.AUTH_METHODS


def test_basic_is_form_decoded(signed_in):
    headers = by_basic(signed_in.client.client_id, signed_in.client.secret)
    assert post(signed_in, fields(signed_in), headers=headers).status_code == 200


def test_post_works_for_a_client_registered_for_it_only(signed_in):
    name, secret = signed_in.client.client_id, signed_in.client.secret
    body = fields(signed_in, client_id=name, client_secret=secret)
    refused = post(signed_in, body)
    assert (refused.status_code, refused.get_json()["error"]) == (401, "invalid_client")
    register(signed_in, "client_secret_post")
    assert ask_token(signed_in).status_code == 401
    assert post(signed_in, body).status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        "Basic",
        "Basic ",
        "Basic !!!",
        "Basic é",
        "Basic \xff\xfe",
        "Basic " + base64.b64encode(b"\xff\xfe:\xff").decode(),
        "Basic " + base64.b64encode(b"nocolon").decode(),
        "Basic " + base64.b64encode(b":").decode(),
        "Bearer x",
        "Digest x",
        "\u00e9",
    ],
)
def test_a_header_that_cannot_be_read_is_401_with_a_challenge(signed_in, header):
    answer = post(signed_in, fields(signed_in), headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.get_json()["error"] == "invalid_client"
    assert answer.headers["WWW-Authenticate"].startswith("Basic")


@pytest.mark.parametrize(
    ("name", "secret"), [("known", "wrong"), ("unknown", "any"), ("known", ""), ("known", "é\x00")]
)
def test_a_wrong_name_or_secret_is_401(signed_in, name, secret):
    name = signed_in.client.client_id if name == "known" else name
    answer = post(signed_in, fields(signed_in), headers=by_basic(name, secret))
    assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_client")


def test_a_confidential_client_cannot_come_as_a_public_one(signed_in):
    answer = post(signed_in, fields(signed_in, client_id=signed_in.client.client_id))
    assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_client")


def test_two_ways_at_once_are_refused(signed_in):
    name, secret = signed_in.client.client_id, signed_in.client.secret
    body = fields(signed_in, client_id=name, client_secret=secret)
    answer = post(signed_in, body, headers=by_basic(name, secret))
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_request")


def test_a_public_client_needs_its_verifier_only(person, account, app):

    with transaction():
        new = Registration(
            "native", (person.client.redirect_uri,), token_endpoint_auth_method="none"
        )
        client_id = manage.create(new)[0].client_id
    person.authorize(client_id=client_id).two_factors(ADDRESS)
    assert (
        post(person, fields(person, client_id=client_id, code_verifier="x" * 43)).status_code == 400
    )
    assert post(person, fields(person, client_id=client_id, code_verifier=None)).status_code == 400
    assert post(person, fields(person, client_id=client_id)).status_code == 200


@pytest.mark.parametrize("proof", ["client_secret", "client_assertion", "client_assertion_type"])
def test_a_public_client_that_proves_something_is_refused(at_home, proof):
    """What it took for its own would be that of another, or known to everybody."""
    with transaction():
        new = Registration(
            "native", (at_home.client.redirect_uri,), token_endpoint_auth_method="none"
        )
        client_id = manage.create(new)[0].client_id
    at_home.authorize(client_id=client_id)
    body = fields(at_home, client_id=client_id)
    answer = post(at_home, {**body, proof: ""})
    assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_client")
    assert post(at_home, body).status_code == 200


def test_two_secrets_overlap_while_an_application_changes_over(signed_in):
    name, former = signed_in.client.client_id, signed_in.client.secret
    with transaction():
        fresh = manage.rotate_secret(name, timedelta(hours=1))
    probe = fields(signed_in, code="x")
    for secret in (former, fresh):
        assert post(signed_in, probe, headers=by_basic(name, secret)).status_code == 400
    with time_machine.travel(clock.now() + timedelta(hours=2), tick=True):
        assert post(signed_in, probe, headers=by_basic(name, former)).status_code == 401
        assert post(signed_in, probe, headers=by_basic(name, fresh)).status_code == 400


@pytest.mark.parametrize(
    "options",
    [
        {"query_string": {"grant_type": "authorization_code"}},
        {"content_type": "application/json", "data": "{}"},
        {"content_type": "multipart/form-data"},
        {"data": {"grant_type": ["authorization_code", "authorization_code"]}},
        {"data": {"grant_type": "authorization_code", "code": "x" * 17_000}},
    ],
)
def test_a_request_of_another_shape_is_refused_whole(signed_in, options):
    headers = by_basic(signed_in.client.client_id, signed_in.client.secret)
    options = {"data": fields(signed_in), **options}
    answer = signed_in.app.test_client().post("/token", base_url=ISSUER, headers=headers, **options)
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_request")


def test_a_body_that_is_too_large_is_413_without_detail(signed_in):
    answer = post(signed_in, {"code": "x" * 100_000})
    assert answer.status_code == 413
    assert set(answer.get_json()) == {"error", "reference"}
