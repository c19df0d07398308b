"""Registration and its management (RFC 7591, RFC 7592, OIDC Dynamic Client Registration 1.0)."""

import json
from dataclasses import fields
from datetime import timedelta

import pytest
import time_machine

from idp import clock
from idp.clients import manage, registry, strangers
from idp.clients.registration import Registration
from tests.support.accounts import ADDRESS
from tests.support.agreeing import YES
from tests.support.journey import ISSUER, Person
from tests.support.portal import TestClientApp
from tests.support.registering import EVERYTHING, KEYS, URI, events, refused, token
from tests.support.settings import override
from tests.support.signing import publishing
from tests.support.tokens import redeem


def test_what_did_without_pkce_keeps_to_it_and_cannot_ask_for_it(app, developer):
    with override(app, weaker_clients=("no-pkce",)):
        developer.register(token(require_pkce=False))
        developer.manage("PUT", {**developer.repeatable, "client_name": "Archives"})
        client = registry.find(developer.known["client_id"])
        assert (client.client_name, client.require_pkce) == ("Archives", False)
        answer = developer.register(require_pkce=False)
        assert refused(answer, "invalid_client_metadata").startswith("require_pkce")
    developer.register()
    assert registry.find(developer.known["client_id"]).require_pkce


def test_a_sign_in_is_begun_over_https_only(developer):
    """OIDC Dynamic Client Registration 1.0 2, for those on this machine too."""
    for start in ("http://localhost:8443/login", "HTTP://127.0.0.1/login"):
        answer = developer.register(initiate_login_uri=start)
        assert refused(answer, "invalid_client_metadata") == "initiate_login_uri must be https"
    assert developer.register(initiate_login_uri="https://app.example/login").status_code == 201


def test_whoever_registers_can_sign_people_in_at_once(developer, app, inbox, account):
    answer = developer.register(client_name="Archives")
    assert answer.status_code == 201
    assert answer.headers["Cache-Control"] == "no-store"
    known = developer.known
    assert known["client_secret_expires_at"] == 0
    assert known["token_endpoint_auth_method"] == "client_secret_basic"
    client = TestClientApp(known["client_id"], known["client_secret"], URI)
    person = Person(app, inbox, client)
    person.authorize(scope="openid").two_factors(ADDRESS)
    assert person.callback is None, "people are asked: nobody of the house speaks for it"
    person.press(YES)
    assert redeem(person)["id_token"]


def test_every_field_is_taken_under_its_standard_name_and_told(developer):
    developer.register(**EVERYTHING)
    assert {name: developer.known[name] for name in EVERYTHING} == EVERYTHING
    names = {field.name for field in fields(Registration)} - strangers.FIXED.keys()
    assert names - EVERYTHING.keys() == {"jwks_uri", "sector_identifier_uri", "localized"}


def test_what_is_left_out_has_a_name_and_the_scope_of_its_grants(developer):
    developer.register(grant_types=["authorization_code", "refresh_token"], contacts=["a@b.c"])
    assert developer.known["client_name"] == "app.example"
    assert "offline_access" in developer.known["scope"]
    more = {"contacts#de": "x", "localized": {"client_name#de": "x"}}
    assert developer.register(**more).status_code == 201
    assert "client_name#de" not in developer.known
    assert not {"contacts", "contacts#de"} & developer.known.keys(), (
        "what is not understood is left aside (RFC 7591 2)"
    )


@pytest.mark.parametrize("mode", ["off"], indirect=True)
def test_it_is_off_unless_a_deployment_wants_it(developer, client):
    assert "ask the operator" in refused(developer.register(token()), "invalid_request", 404)
    assert developer.send("GET", "/register/x").get_json()["error"] == "invalid_request"
    metadata = client.get("/.well-known/openid-configuration", base_url=ISSUER).get_json()
    assert "registration_endpoint" not in metadata


@pytest.mark.usefixtures("mode")
def test_discovery_names_it(client):
    metadata = client.get("/.well-known/openid-configuration", base_url=ISSUER).get_json()
    assert metadata["registration_endpoint"] == f"{ISSUER}/register"


@pytest.mark.parametrize("mode", ["token"], indirect=True)
def test_a_token_is_good_for_so_many_registrations_and_so_long(developer):
    value = token(uses=2)
    for sent in ("", "x", value[:-1], "\x7f" * 3000):
        assert "Bearer" in developer.register(sent).headers["WWW-Authenticate"]
    developer.register(value, redirect_uris=[])
    assert [developer.register(value).status_code for _ in range(3)] == [201, 201, 401]
    made = [actor for event, actor in events() if event == "client_created"]
    assert made == ["registration-token:1"] * 2
    late = token(lives=timedelta(minutes=1))
    with time_machine.travel(clock.now() + timedelta(minutes=2), tick=False):
        refused(developer.register(late), "invalid_token", 401)


def test_a_wrong_token_is_refused_where_none_is_needed(developer):
    refused(developer.register("x"), "invalid_token", 401)


@pytest.mark.parametrize(
    ("metadata", "error"),
    [
        ({"redirect_uris": None}, "invalid_redirect_uri"),
        ({"redirect_uris": []}, "invalid_redirect_uri"),
        ({"redirect_uris": URI}, "invalid_redirect_uri"),
        ({"redirect_uris": ["http://app.example/cb"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://app.example/é\x00"]}, "invalid_redirect_uri"),
        ({"redirect_uris": [URI, URI]}, "invalid_redirect_uri"),
        ({"redirect_uris": [["x"]]}, "invalid_redirect_uri"),
        ({"response_types": ["code", "token"]}, "invalid_client_metadata"),
        ({"grant_types": ["implicit"]}, "invalid_client_metadata"),
        ({"grant_types": ["client_credentials"]}, "invalid_client_metadata"),
        ({"resources": ["https://api.example"]}, "invalid_client_metadata"),
        ({"resource_uri": "https://api.example"}, "invalid_client_metadata"),
        ({"client_name": "a\u202eb"}, "invalid_client_metadata"),
        ({"client_name": "\ud800"}, "invalid_client_metadata"),
        ({"client_name": 7}, "invalid_client_metadata"),
        ({"client_name#<b>": "x"}, "invalid_client_metadata"),
        ({"client_name#de": "a\u202eb"}, "invalid_client_metadata"),
        ({"client_name#de": 7}, "invalid_client_metadata"),
        ({"tos_uri#de": "javascript:alert(1)"}, "invalid_client_metadata"),
        ({"first_party": True}, "invalid_client_metadata"),
        ({"scope": "email"}, "invalid_client_metadata"),
        ({"scope": "openid legacy"}, "invalid_client_metadata"),
        ({"legacy_sources": ["old"]}, "invalid_client_metadata"),
        ({"require_pkce": False}, "invalid_client_metadata"),
        ({"request_object_signing_alg": "none"}, "invalid_client_metadata"),
        ({"token_endpoint_auth_method": "client_secret_jwt"}, "invalid_client_metadata"),
        ({"default_max_age": 10**30}, "invalid_client_metadata"),
        ({"default_max_age": "60"}, "invalid_client_metadata"),
        ({"jwks": {"keys": [{"kty": "oct", "k": "x"}]}}, "invalid_client_metadata"),
        ({"client_secret": {"a": [[[[[[[[[[[[[[[7]]]]]]]]]]]]]]]}}, "invalid_client_metadata"),
        ({"jwks": {"keys": [7]}}, "invalid_client_metadata"),
        ({"jwks": KEYS, "jwks_uri": "https://app.example/k"}, "invalid_client_metadata"),
        ({"sector_identifier_uri": "https://127.0.0.1/s"}, "invalid_client_metadata"),
        ({"sector_identifier_uri": "https://["}, "invalid_client_metadata"),
        ({"initiate_login_uri": "https://["}, "invalid_client_metadata"),
        ({"initiate_login_uri": "https://\u2100/"}, "invalid_client_metadata"),
        ({"software_statement": "e30.e30."}, "unapproved_software_statement"),
    ],
)
def test_what_cannot_be_is_refused_in_the_words_of_the_standard(app, developer, metadata, error):
    """The deployment's own options that allow weaker clients change nothing here."""
    with override(app, weaker_clients=("no-pkce", "unsigned-requests")):
        refused(developer.register(**metadata), error)
    assert not manage.listing()


def test_what_was_sent_is_not_repeated(developer):
    said = developer.register(redirect_uris=["http://<b>secret"]).get_data(as_text=True)
    said += developer.register(scope="openid <b>secret").get_data(as_text=True)
    assert "secret" not in said


@pytest.mark.parametrize(
    "body",
    [
        *("", "[]", "null", "7", '"x"', "{", "\x00", b"\xff\xfe{", "{}{}"),
        '{"redirect_uris": ["https://a.example"], "redirect_uris": ["https://b.example"]}',
        '{"redirect_uris": ["https://a.example"], "jwks": {"keys": [], "x": NaN}}',
        "[" * 30_000,
        '{"jwks":' + '{"a":' * 5_000 + "1" + "}" * 5_001,
        '{"default_max_age":' + "1" * 5_000 + "}",
    ],
    ids=lambda body: repr(body[:20]),
)
def test_hostile_bodies_are_refused(developer, body):
    assert developer.send("POST", "/register", body).status_code == 400


def test_no_depth_is_one_too_many(developer):
    """Reading, writing and checking JSON give up at different depths; none of them is a fault."""
    for depth in range(850, 1010):
        nested = '{"redirect_uris": [' + '{"a":' * depth + "1" + "}" * depth + "]}"
        assert developer.send("POST", "/register", nested).status_code == 400, depth


def test_bodies_are_not_endless(developer):
    refused(developer.register(client_name="x" * 33_000), "invalid_client_metadata", 413)
    assert developer.register(client_name="x" * 70_000).status_code == 413


def test_no_form_of_another_site_registers_anything(developer):
    """A browser sends JSON across sites only after it asked, and it is told no (Fetch)."""
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    asked = developer.browser.options("/register", headers=headers, base_url=ISSUER)
    assert not any(name.startswith("Access-Control") for name in dict(asked.headers))
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", None):
        body = json.dumps({"redirect_uris": [URI]})
        sent = developer.browser.post("/register", data=body, content_type=kind, base_url=ISSUER)
        refused(sent, "invalid_client_metadata")


def test_no_more_addresses_than_an_application_needs(developer):
    many = [f"https://app.example/{number}" for number in range(21)]
    refused(developer.register(redirect_uris=many), "invalid_redirect_uri")
    assert developer.register(redirect_uris=many[1:]).status_code == 201


def test_another_node_knows_a_client_at_once(developer):
    """Nodes look at the registrations every two seconds; whoever has just registered does not wait."""
    assert registry.find("nobody") is None
    of_the_other = dict(registry._cache._kept)
    developer.register()
    registry._cache._kept.update(of_the_other)
    assert registry.find(developer.known["client_id"])


@pytest.mark.usefixtures("near")
def test_a_sector_is_asked_before_anything_is_stored(developer):
    with publishing() as server:
        server.content = [URI]
        pairwise = {"subject_type": "pairwise", "sector_identifier_uri": server.url}
        assert developer.register(**pairwise).status_code == 201
        both = [URI, "https://b.example/cb"]
        refused(developer.register(redirect_uris=both, **pairwise), "invalid_client_metadata")
