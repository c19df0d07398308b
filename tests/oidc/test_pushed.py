"""Pushed authorization requests (RFC 9126)."""

from datetime import timedelta

import pytest
import time_machine

from idp import clock
from idp.clients import manage
from idp.clients.registration import Registration
from idp.extensions import transaction
from tests.support import portal
from tests.support.accounts import ADDRESS
from tests.support.journey import ISSUER, Person
from tests.support.registering import URI, Developer, token
from tests.support.settings import override
from tests.support.signing import assertion, make_key, public_set, sign
from tests.support.tokens import claims_of, redeem

PREFIX = "urn:ietf:params:oauth:request_uri:"


def push(person, secret=None, **changes):
    """POST /par with the client's credentials; some parameters changed or (None) left out."""
    fields = {
        "response_type": "code",
        "client_id": person.client.client_id,
        "redirect_uri": person.client.redirect_uri,
        "scope": "openid email",
        "state": "pushed state",
        "nonce": "pushed nonce",
        "code_challenge": person.challenge,
        "code_challenge_method": "S256",
    } | changes
    kept = {name: value for name, value in fields.items() if value is not None}
    auth = (person.client.client_id, secret or person.client.secret)
    return person.app.test_client().post("/par", data=kept, auth=auth, base_url=ISSUER)


def bring(person, name, **more):
    """The browser, sent with no more than the name."""
    only = dict.fromkeys(
        *[["response_type", "redirect_uri", "scope", "state", "nonce"]], None
    ) | dict.fromkeys(["code_challenge", "code_challenge_method"])
    return person.authorize(**(only | {"request_uri": name} | more))


@pytest.fixture(autouse=True, params=["GET", "POST"])
def method(request, person):
    """The browser may bring the name by either."""
    person.method = request.param


def test_a_pushed_request_is_answered_as_pushed(person, account):
    answer = push(person)
    assert answer.status_code == 201
    assert answer.headers["Cache-Control"] == "no-store"
    body = answer.get_json()
    assert body["request_uri"].startswith(PREFIX)
    assert body["expires_in"] == 60
    bring(person, body["request_uri"], state="another", scope="openid phone").two_factors(ADDRESS)
    assert person.callback["state"] == "pushed state"
    tokens = redeem(person)
    assert claims_of(tokens)["nonce"] == "pushed nonce"
    assert tokens["scope"] == "openid email"


def test_a_name_is_good_once_and_for_one_browser(person, another):
    name = push(person).get_json()["request_uri"]
    assert bring(person, name).step == "sign-in"
    other = another()
    assert bring(other, name).page.status == 400
    assert bring(person, name).page.status == 400


def test_a_name_is_good_for_a_minute(person):
    name = push(person).get_json()["request_uri"]
    with time_machine.travel(clock.now() + timedelta(seconds=61), tick=False):
        assert bring(person, name).page.status == 400


def test_a_name_is_good_for_its_client_only(person, app, inbox):
    name = push(person).get_json()["request_uri"]
    other = portal.register(Registration("Other", ("https://other.example/cb",)))
    assert bring(Person(app, inbox, other), name).page.status == 400
    assert bring(person, name, client_id=None).page.status == 400


@pytest.mark.parametrize("tail", ["", "x", "é", "\x00", "x" * 3000])
def test_a_name_that_was_never_given_is_a_page(person, tail):
    assert bring(person, PREFIX + tail).page.status == 400


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"redirect_uri": "https://evil.example/"}, "invalid_request"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"client_id": "other"}, "invalid_request"),
        ({"request_uri": f"{PREFIX}x"}, "invalid_request"),
        ({"scope": "email"}, "invalid_scope"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge": None}, "invalid_request"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"request": "x"}, "request_not_supported"),
        ({"nonce": "a\x00"}, "invalid_request"),
    ],
)
def test_a_mistake_is_told_at_once_and_to_the_client_only(person, changes, error):
    answer = push(person, **changes)
    assert (answer.status_code, answer.get_json()["error"]) == (400, error)


def test_whoever_does_not_prove_who_they_are_pushes_nothing(person):
    answer = push(person, secret="wrong")
    assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_client")


def test_the_client_need_not_be_named_twice(person):
    assert push(person, client_id=None).status_code == 201


def test_an_object_may_be_pushed_by_a_client_that_signs(person, account):
    key = make_key()
    name = person.client.client_id
    changes = {
        "token_endpoint_auth_method": "private_key_jwt",
        "request_object_signing_alg": "ES256",
        "jwks": public_set(key),
    }
    with transaction():
        manage.update_client(name, changes)
    claims = {
        "iss": name,
        "aud": ISSUER,
        "client_id": name,
        "response_type": "code",
        "redirect_uri": person.client.redirect_uri,
        "scope": "openid",
        "state": "signed",
        "code_challenge": person.challenge,
        "code_challenge_method": "S256",
    }
    fields = {
        "client_id": name,
        "request": sign(key, claims),
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": sign(key, assertion(name, aud=f"{ISSUER}/par")),
    }
    answer = person.app.test_client().post("/par", data=fields, base_url=ISSUER)
    assert answer.status_code == 201, answer.get_json()
    bring(person, answer.get_json()["request_uri"]).two_factors(ADDRESS)
    assert person.callback["state"] == "signed"


def test_a_client_that_must_push_is_not_heard_otherwise(person):
    with transaction():
        changes = {"require_pushed_authorization_requests": True}
        manage.update_client(person.client.client_id, changes)
    assert person.authorize().callback["error"] == "invalid_request"
    assert bring(person, push(person).get_json()["request_uri"]).step == "sign-in"


def test_the_language_is_that_of_whoever_brings_it(person):
    name = push(person).get_json()["request_uri"]
    person.browser.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    assert "Sign in" in bring(person, name).page.text
    name = push(person, ui_locales="fr").get_json()["request_uri"]
    assert "Se connecter" in bring(person, name).page.text


def test_silence_is_kept_when_nobody_is_signed_in(person, signed_in):
    name = push(person, prompt="none").get_json()["request_uri"]
    assert bring(signed_in, name).callback["code"]
    person.browser.delete_cookie("seuil-session", domain="localhost")
    name = push(person, prompt="none").get_json()["request_uri"]
    assert bring(person, name).callback["error"] == "login_required"


def test_public_clients_push_no_more_than_their_network_may_begin(app, inbox):
    new = Registration("App", ("http://localhost:1/cb",), token_endpoint_auth_method="none")
    client = portal.register(new)
    person = Person(app, inbox, client)
    fields = {
        "client_id": client.client_id,
        "redirect_uri": client.redirect_uri,
        "response_type": "code",
        "scope": "openid",
        "code_challenge": person.challenge,
        "code_challenge_method": "S256",
    }
    with override(app, interactions_per_network=2):
        answers = [app.test_client().post("/par", data=fields, base_url=ISSUER) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 429]
    assert answers[2].get_json()["error"] == "temporarily_unavailable"


@pytest.mark.parametrize("vouched", [False, True])
def test_nor_do_clients_that_anybody_could_register(app, person, vouched):
    developer = Developer(app)
    with override(app, registration="open", interactions_per_network=2):
        developer.register(token() if vouched else "")
        known = developer.known
        fields = {
            "redirect_uri": URI,
            "response_type": "code",
            "scope": "openid",
            "code_challenge": person.challenge,
            "code_challenge_method": "S256",
        }
        own = (known["client_id"], known["client_secret"])
        statuses = [
            app.test_client().post("/par", data=fields, auth=own, base_url=ISSUER).status_code
            for _ in range(3)
        ]
    assert statuses == [201, 201, 201 if vouched else 429]
