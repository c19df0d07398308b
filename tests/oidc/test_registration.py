"""Registration and its management (RFC 7591, RFC 7592, OIDC Dynamic Client Registration 1.0)."""

import json
from dataclasses import fields
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from idp import clock, housekeeping
from idp.audit.models import AuditEvent
from idp.clients import manage, registration_tokens, registry, strangers
from idp.clients.registration import Registration
from idp.extensions import db, transaction
from tests.support import portal
from tests.support.accounts import ADDRESS
from tests.support.agreeing import YES
from tests.support.journey import ISSUER, NEW_PASSWORD, Person
from tests.support.portal import TestClientApp
from tests.support.registering import URI, Developer
from tests.support.settings import override
from tests.support.signing import make_key, public_set, publishing
from tests.support.tokens import ask_token, redeem, userinfo

KEYS = public_set(make_key())
EVERYTHING = {
    "client_name": "Archives",
    "redirect_uris": [URI, "https://app.example/other"],
    "response_types": ["code"],
    "post_logout_redirect_uris": ["https://app.example/bye"],
    "application_type": "native",
    "client_name#de": "Archiv",
    "client_uri": "https://app.example/",
    "logo_uri": "https://app.example/logo.png",
    "policy_uri": "https://app.example/privacy",
    "policy_uri#de-CH": "https://app.example/datenschutz",
    "tos_uri": "https://app.example/terms",
    "initiate_login_uri": "https://app.example/login",
    "backchannel_logout_uri": "https://app.example/logout",
    "backchannel_logout_session_required": False,
    "grant_types": ["authorization_code", "refresh_token"],
    "subject_type": "pairwise",
    "scope": "openid email offline_access",
    "token_endpoint_auth_method": "private_key_jwt",
    "token_endpoint_auth_signing_alg": "ES256",
    "id_token_signed_response_alg": "ES256",
    "id_token_encrypted_response_alg": "ECDH-ES",
    "id_token_encrypted_response_enc": "A256GCM",
    "userinfo_signed_response_alg": "RS256",
    "userinfo_encrypted_response_alg": "ECDH-ES",
    "userinfo_encrypted_response_enc": "A128GCM",
    "jwks": KEYS,
    "request_object_signing_alg": "ES256",
    "require_signed_request_object": True,
    "require_pushed_authorization_requests": True,
    "dpop_bound_access_tokens": True,
    "id_token_scope_claims": True,
    "default_max_age": 3600,
}


@pytest.fixture(autouse=True)
def mode(app, request):
    with override(app, registration=getattr(request, "param", "open")):
        yield


@pytest.fixture
def developer(app):
    return Developer(app)


def token(uses=1, lives=timedelta(hours=1)):
    with transaction():
        return registration_tokens.issue("tests", uses=uses, lives=lives, actor="os:tests")[1]


def test_what_did_without_pkce_keeps_to_it_and_cannot_ask_for_it(app, developer):
    with override(app, weaker_clients=("no-pkce",)):
        with transaction():
            _row, lax = registration_tokens.issue(
                "tests", uses=1, lives=timedelta(hours=1), actor="os:tests", require_pkce=False
            )
        developer.register(lax)
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


def events():
    return [(one.event, one.actor) for one in db.session.scalars(select(AuditEvent))]


def refused(answer, error, status=400):
    """Told so in constant words, and in a form that says what it is."""
    body = answer.get_json()
    assert (answer.status_code, body["error"]) == (status, error)
    assert body["error_description"].isascii()
    assert answer.headers["Cache-Control"] == "no-store"
    return body["error_description"]


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
    assert developer.register(token()).status_code == 404
    assert developer.send("GET", "/register/x").get_json()["error"] == "invalid_request"
    metadata = client.get("/.well-known/openid-configuration", base_url=ISSUER).get_json()
    assert "registration_endpoint" not in metadata


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


def test_the_name_of_an_application_that_people_know_is_taken(developer):
    portal.register()
    refused(developer.register(client_name="E-Services "), "invalid_client_metadata")
    german = {"client_name": "X", "client_name#de": "e-services"}
    refused(developer.register(**german), "invalid_client_metadata")
    assert developer.register(client_name="Archives").status_code == 201
    assert (
        Developer(developer.browser.application).register(client_name="Archives").status_code == 201
    )


def test_a_client_reads_and_changes_what_it_registered(developer):
    developer.register(client_name="Archives", default_max_age=60)
    told = developer.manage("GET").get_json()
    assert told["registration_access_token"] == developer.known["registration_access_token"]
    assert "client_secret" not in told
    developer.manage("PUT", {**developer.repeatable, "client_name#de": "Archiv"})
    changed = {**developer.repeatable, "client_name": "Autre"}
    del changed["default_max_age"]
    answer = developer.manage("PUT", changed)
    assert answer.status_code == 200
    assert answer.get_json()["client_name"] == "Autre"
    assert "default_max_age" not in answer.get_json(), "what is not sent is as it is by default"
    assert "client_name#de" not in answer.get_json()
    assert developer.manage("GET").get_json() == answer.get_json()
    assert ("client_updated", "stranger") in events()


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"client_id": None}, "invalid_client_metadata"),
        ({"client_id": "another"}, "invalid_client_metadata"),
        ({"client_secret": "chosen by the client"}, "invalid_client_metadata"),
        ({"client_secret": 7}, "invalid_client_metadata"),
        ({"client_id_issued_at": 1}, "invalid_client_metadata"),
        ({"registration_access_token": "x"}, "invalid_client_metadata"),
        ({"redirect_uris": None}, "invalid_redirect_uri"),
        ({"token_endpoint_auth_method": "none"}, "invalid_client_metadata"),
        ({"require_pkce": False}, "invalid_client_metadata"),
        ({"scope": "openid legacy"}, "invalid_client_metadata"),
    ],
)
def test_a_change_is_looked_at_like_a_registration(developer, changes, error):
    developer.register()
    before = developer.manage("GET").get_json()
    refused(developer.manage("PUT", {**developer.repeatable, **changes}), error)
    assert developer.manage("GET").get_json() == before


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uris": ["https://elsewhere.example/cb"]},
        {"client_name": "Loterie"},
        {"client_name#fr": "Loterie"},
        {"logo_uri": "https://app.example/other.png"},
    ],
    ids=str,
)
def test_what_becomes_another_application_has_nothing_of_its_people(
    developer, app, inbox, account, changes
):
    """Nobody agreed to give that one anything."""
    developer.register(client_name="Archives")
    known = developer.known
    person = Person(app, inbox, TestClientApp(known["client_id"], known["client_secret"], URI))
    person.authorize(scope="openid").two_factors(ADDRESS).press(YES)
    held = redeem(person)["access_token"]
    same = {**developer.repeatable, "scope": "openid email"}
    assert developer.manage("PUT", same).status_code == 200
    assert userinfo(person, held).status_code == 200, "it is still the same application"
    assert developer.manage("PUT", {**same, **changes}).status_code == 200
    assert userinfo(person, held).status_code == 401
    if "redirect_uris" not in changes:
        assert person.authorize(scope="openid").step == "consent"


def test_nobody_moves_to_the_sector_of_another(developer):
    """It would learn, at userinfo or when a session ends, what that one calls people."""
    developer.register(subject_type="pairwise")
    same = developer.repeatable
    for changes in ({"subject_type": "public"}, {"redirect_uris": ["https://victim.example/x"]}):
        refused(
            developer.manage("PUT", {**same, **changes}),
            "invalid_redirect_uri" if "redirect_uris" in changes else "invalid_client_metadata",
        )
    other = {**same, "redirect_uris": ["https://app.example/another"]}
    assert developer.manage("PUT", other).status_code == 200
    developer.register()
    same = {**developer.repeatable, "subject_type": "pairwise"}
    refused(developer.manage("PUT", same), "invalid_client_metadata")


def test_what_the_operator_changed_stays(developer):
    developer.register()
    with transaction():
        manage.update_client(developer.known["client_id"], {"userinfo_max_age": 60})
    assert developer.manage("PUT", developer.repeatable).status_code == 200
    assert registry.find(developer.known["client_id"]).userinfo_max_age == 60


def test_no_more_addresses_than_an_application_needs(developer):
    many = [f"https://app.example/{number}" for number in range(21)]
    refused(developer.register(redirect_uris=many), "invalid_redirect_uri")
    assert developer.register(redirect_uris=many[1:]).status_code == 201


def test_what_others_call_themselves_is_in_no_mail_of_ours(developer, app, inbox, account):
    developer.register(client_name="BLOQUE allez sur evil example")
    known = developer.known
    person = Person(app, inbox, TestClientApp(known["client_id"], known["client_secret"], URI))
    person.authorize(scope="openid").sign_in(ADDRESS, NEW_PASSWORD)
    assert person.code(ADDRESS)
    (mail,) = inbox.messages
    assert "evil" not in f"{mail.subject} {mail.text}"


@pytest.mark.parametrize(
    "name",
    [
        *("e-services\u034f", "e\u2010services", "е-services", "e-ser\u200bvices", "\u3164"),
        *(
            "\u2800",
            " ",
            "e-servıces",
            "e-ſervices",
            "ｅ-services",
            "ɑ",
            "état de services",
            "E SERVICES",
            "www.x.example",
            "Votre compte",
            "e-serv1ces",
            "e-ꜱervices",
            "a\nb",
        ),
    ],
    ids=ascii,
)
def test_no_name_looks_like_that_of_an_application_that_people_know(developer, name):
    client = portal.register()
    with transaction():
        localized = {"client_name#fr": "État de Services"}
        manage.update_client(client.client_id, {"localized": localized})
    refused(developer.register(client_name=name), "invalid_client_metadata")


def test_a_client_goes_with_all_that_it_holds(developer):
    developer.register()
    assert developer.manage("DELETE").status_code == 204
    assert registry.find(developer.known["client_id"]) is None
    refused(developer.manage("GET"), "invalid_token", 401)
    assert ("client_deleted", "stranger") in events()


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_token_is_for_its_own_client_only(developer, app, method):
    """Nor does one open a client of the administrators, or one that is not there."""
    developer.register()
    other = Developer(app)
    other.register()
    theirs = other.known["registration_access_token"]
    ours = portal.register().client_id
    for value in (theirs, "", "x", token()):
        refused(developer.manage(method, {}, token=value), "invalid_token", 401)
    for name in (ours, "nobody", "%00", "é", "x" * 3000):
        refused(developer.send(method, f"/register/{name}", {}, theirs), "invalid_token", 401)


def test_no_token_is_kept_as_it_is(developer):
    value = token()
    developer.register(value)
    names = ("client", "registration_token", "client_secret", "audit_event")
    with db.engine.connect() as connection:
        stored = str([connection.exec_driver_sql(f"SELECT * FROM {name}").all() for name in names])
    for secret in (value, developer.known["registration_access_token"]):
        assert secret not in stored
    assert developer.known["client_secret"] not in stored


def test_strangers_register_no_more_than_their_network_and_all_together_may(developer, app):
    with override(app, registrations_per_network=2):
        assert [developer.register().status_code for _ in range(3)] == [201, 201, 429]
        assert int(developer.register().headers["Retry-After"]) <= 3601
        assert developer.register(token()).status_code == 201, "whoever has a token is not counted"
        elsewhere = Developer(app)
        elsewhere.browser.environ_base["REMOTE_ADDR"] = "192.0.2.7"
        assert elsewhere.register().status_code == 201
        with override(app, registrations_per_day=3):
            assert elsewhere.register().status_code == 429
        changes = [developer.manage("PUT", developer.repeatable).status_code for _ in range(3)]
        assert changes == [200, 200, 429]


def test_one_line_leaves_others_room_to_register(developer, app):
    def from_(address):
        developer.browser.environ_base["REMOTE_ADDR"] = address
        return developer.register().status_code

    with override(app, registrations_per_day=8):
        told = [from_(f"2001:db8:0:{number}::1") for number in range(3)]
        assert (told, from_("2001:db8:1::1")) == ([201, 201, 429], 201)


def test_no_token_makes_us_ask_for_ever(developer, app):
    value = token()
    asked = {"subject_type": "pairwise", "sector_identifier_uri": "https://[::1]:1/sector"}
    with override(app, registrations_per_network=2):
        answers = [developer.register(value, **asked).status_code for _ in range(3)]
        assert answers == [400, 400, 429]
        assert developer.register(value).status_code == 201


def test_what_nobody_uses_goes_and_what_somebody_vouched_for_stays(developer, app, inbox, account):
    developer.register()
    vouched, used = Developer(app), Developer(app)
    vouched.register(token())
    used.register()
    begin = clock.now()
    with time_machine.travel(begin, tick=False) as now:
        now.shift(timedelta(days=20))
        client = TestClientApp(used.known["client_id"], used.known["client_secret"], URI)
        person = Person(app, inbox, client)
        person.authorize(scope="openid").two_factors(ADDRESS).press(YES)
        redeem(person)
        now.shift(timedelta(days=11))
        housekeeping.purge()
        assert registry.find(developer.known["client_id"]) is None
        assert registry.find(used.known["client_id"])
        now.shift(timedelta(days=20))
        housekeeping.purge()
        assert registry.find(used.known["client_id"]) is None
        assert registry.find(vouched.known["client_id"])


def test_another_node_knows_a_client_at_once(developer):
    """Nodes look at the registrations every two seconds; whoever has just registered does not wait."""
    assert registry.find("nobody") is None
    of_the_other = dict(registry._cache._kept)
    developer.register()
    registry._cache._kept.update(of_the_other)
    assert registry.find(developer.known["client_id"])


@pytest.fixture
def gone(developer, app, inbox, account):
    """A person signed in at an application that has deleted itself, of which this node does not know yet."""
    developer.register()
    client = TestClientApp(developer.known["client_id"], developer.known["client_secret"], URI)
    person = Person(app, inbox, client)
    person.authorize(scope="openid").two_factors(ADDRESS).press(YES)
    known = dict(registry._cache._kept)
    assert developer.manage("DELETE").status_code == 204
    registry._cache._kept.update(known)
    return person


def test_a_node_that_does_not_know_of_a_deletion_fails_in_order(gone):
    assert ask_token(gone).get_json()["error"] == "invalid_grant"
    assert gone.authorize(scope="openid").page.status == 400
    assert gone.authorize(scope="openid", prompt="login").page.status == 400
    form = {"client_id": gone.client.client_id, "redirect_uri": URI, "response_type": "code"}
    form |= {"scope": "openid", "code_challenge": gone.challenge, "code_challenge_method": "S256"}
    auth = (gone.client.client_id, gone.client.secret)
    pushed = gone.app.test_client().post("/par", data=form, auth=auth, base_url=ISSUER)
    assert (pushed.status_code, pushed.get_json()["error"]) == (400, "invalid_request")


@pytest.mark.usefixtures("near")
def test_a_sector_is_asked_before_anything_is_stored(developer):
    with publishing() as server:
        server.content = [URI]
        pairwise = {"subject_type": "pairwise", "sector_identifier_uri": server.url}
        assert developer.register(**pairwise).status_code == 201
        both = [URI, "https://b.example/cb"]
        refused(developer.register(redirect_uris=both, **pairwise), "invalid_client_metadata")
