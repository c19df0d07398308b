"""The OpenID Foundation's certification plans for providers: requests and checks as its suite has them.

Its requests come without PKCE, so deployment and registration must allow that. What has a test of its own by
the rule that it holds is not here again: docs/conformance.md says which module is held where.
"""

import base64
import hashlib
from typing import Any

import pytest
from joserfc import jws

from idp import clock
from idp.clients.registration import Registration
from idp.keys import signing
from tests.oidc.conftest import bring_home
from tests.support.accounts import ADDRESS, make_account
from tests.support.journey import ISSUER, Person
from tests.support.portal import register
from tests.support.settings import override
from tests.support.tokens import ask_token, claims_of, refresh, userinfo

EVERYTHING = "openid email phone address profile"
HAPPY: dict[str, dict[str, str | None]] = {
    "oidcc-server": {},
    "oidcc-ensure-request-without-nonce-succeeds-for-code-flow": {"nonce": None},
    "oidcc-scope-profile": {"scope": "openid profile"},
    "oidcc-scope-email": {"scope": "openid email"},
    "oidcc-scope-address": {"scope": "openid address"},
    "oidcc-scope-phone": {"scope": "openid phone"},
    "oidcc-scope-all": {"scope": EVERYTHING},
    "oidcc-alternate-happy-flow": {"scope": "email openid"},
    "oidcc-display-page": {"display": "page"},
    "oidcc-display-popup": {"display": "popup"},
    "oidcc-prompt-none-logged-in": {"prompt": "none"},
    "oidcc-max-age-10000": {"max_age": "10000"},
    "oidcc-ensure-request-with-unknown-parameter-succeeds": {"extra": "foobar"},
    "oidcc-login-hint": {"login_hint": "buffy@localhost"},
    "oidcc-ui-locales": {"ui_locales": "se"},
    "oidcc-claims-locales": {"claims_locales": "se"},
    "oidcc-ensure-request-with-acr-values-succeeds": {
        "acr_values": "urn:seuil:acr:email urn:seuil:acr:sms"
    },
    "oidcc-claims-essential": {"claims": '{"userinfo": {"name": {"essential": true}}}'},
}
TOLD = {
    "profile": {"name", "given_name", "family_name", "birthdate", "locale", "updated_at"},
    "email": {"email", "email_verified"},
    "address": {"address"},
    "phone": {"phone_number", "phone_number_verified"},
}
WANTED = {
    "response_types_supported": {"code"},
    "subject_types_supported": {"public"},
    "id_token_signing_alg_values_supported": {"RS256"},
    "userinfo_signing_alg_values_supported": {"RS256"},
    "request_object_signing_alg_values_supported": {"RS256"},
    "grant_types_supported": {"authorization_code"},
    "scopes_supported": {"openid"},
    "claims_supported": {"sub"},
    "token_endpoint_auth_methods_supported": {"client_secret_basic", "client_secret_post"},
}
OF_AN_ID_TOKEN = {"iss", "sub", "aud", "exp", "iat", "auth_time", "acr", "amr", "at_hash", "sid"}


@pytest.fixture
def tester(app, inbox):
    """Somebody who has signed in at the suite, a client without PKCE."""
    account = make_account(ADDRESS, phone="+41791234567")
    with override(app, weaker_clients=("no-pkce",)):
        new = Registration(
            "Suite",
            ("https://suite.example/callback",),
            post_logout_redirect_uris=("https://suite.example/post_logout_redirect",),
            grant_types=("authorization_code", "refresh_token"),
            scope=f"{EVERYTHING} offline_access",
            require_pkce=False,
        )
        person = Person(app, inbox, register(new))
        yield bring_home(person, account)


def ask(person: Person, changes: dict[str, str | None]) -> Person:
    """A request as the suite builds it, with a state as long as it can be."""
    basic = {"code_challenge": None, "code_challenge_method": None, "scope": "openid"}
    return person.authorize(**{**basic, "state": "s" * 128, **changes})


def tokens_of(person: Person) -> dict[str, Any]:
    """What the code gives, after the suite's checks of both answers."""
    assert set(person.callback) == {"code", "state", "iss"}
    assert (person.callback["state"], person.callback["iss"]) == ("s" * 128, ISSUER)
    answer = ask_token(person, code_verifier=None)
    assert answer.status_code == 200
    assert answer.content_type == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    tokens: dict[str, Any] = answer.get_json()
    assert tokens["token_type"] == "Bearer"
    assert 0 < tokens["expires_in"] < 31_536_000
    return tokens


def check_id_token(person: Person, tokens: dict[str, Any], nonce: str | None) -> dict[str, Any]:
    """PerformStandardIdTokenChecks, and what is in nobody's request is not in there."""
    header = jws.extract_compact(tokens["id_token"].encode()).headers()
    assert (header["alg"], header["kid"]) == ("RS256", signing.active("RS256").kid)
    claims, now = claims_of(tokens), clock.now().timestamp()
    assert set(claims) == OF_AN_ID_TOKEN | ({"nonce"} if nonce else set())
    assert (claims["iss"], claims["aud"]) == (ISSUER, person.client.client_id)
    assert claims.get("nonce") == nonce
    assert now - 300 < claims["iat"] <= now < claims["exp"]
    digest = hashlib.sha256(tokens["access_token"].encode()).digest()[:16]
    assert claims["at_hash"] == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return claims


@pytest.mark.parametrize("response_mode", [None, "form_post"])
@pytest.mark.parametrize("module", HAPPY)
def test_what_must_succeed_does(tester, module, response_mode):
    changes = HAPPY[module] | {"response_mode": response_mode}
    ask(tester, changes)
    tokens = tokens_of(tester)
    claims = check_id_token(tester, tokens, changes.get("nonce", "the nonce"))
    answer = userinfo(tester, tokens["access_token"])
    assert answer.content_type == "application/json"
    told = answer.get_json()
    assert told["sub"] == claims["sub"]
    asked = {"name"} if "claims" in changes else set()
    for scope in (changes.get("scope") or "").split():
        asked |= TOLD.get(scope, set())
    assert set(told) == {"sub"} | asked


def test_a_hint_and_silence_lead_to_the_same_person_and_time(tester):
    """oidcc-id-token-hint, oidcc-prompt-none-logged-in, oidcc-max-age-10000."""
    first = tokens_of(ask(tester, {"max_age": "15000"}))
    hint = {"prompt": "none", "id_token_hint": first["id_token"]}
    for changes in ({"max_age": "10000"}, {"prompt": "none"}, hint):
        again = claims_of(tokens_of(ask(tester, changes)))
        for claim in ("sub", "auth_time"):
            assert again[claim] == claims_of(first)[claim]


def test_a_refresh_token_is_its_clients_and_works_again(tester):
    """oidcc-refresh-token: its first client narrows, its second does not; `prompt=consent` comes along."""
    ask(tester, {"scope": "openid offline_access", "prompt": "consent"})
    tokens = tokens_of(tester)
    fresh = refresh(tester, tokens["refresh_token"], scope="openid offline_access")
    assert fresh.headers["Cache-Control"] == "no-store"
    told = fresh.get_json()
    assert told["access_token"] != tokens["access_token"]
    assert userinfo(tester, told["access_token"]).status_code == 200
    tester.client = register()
    refused = refresh(tester, told["refresh_token"])
    assert (refused.status_code, refused.get_json()["error"]) == (400, "invalid_grant")


def test_the_whole_plan_of_signing_out(tester):
    """oidcc-rp-initiated-logout and -no-state: back with the state as sent, and nobody is signed in."""
    hint = tokens_of(ask(tester, {}))["id_token"]
    back = "https://suite.example/post_logout_redirect"
    for state in ("x" * 128, None):
        sent = {"state": state} if state else {}
        query = {"id_token_hint": hint, "post_logout_redirect_uri": back, **sent}
        tester.get(f"/logout?{'&'.join(f'{name}={value}' for name, value in query.items())}")
        assert tester.callback == sent
        ask(tester, {"prompt": "none"})
        assert tester.callback["error"] == "login_required"
        ask(tester, {}).two_factors(ADDRESS)
        hint = tokens_of(tester)["id_token"]


def test_the_metadata_are_of_the_shapes_and_hold_the_values_that_are_wanted(client):
    """oidcc-discovery-endpoint-verification, and those of both logout plans."""
    answer = client.get("/.well-known/openid-configuration", base_url=ISSUER)
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    metadata = answer.get_json()
    for name, value in metadata.items():
        if name == "issuer" or name.endswith(("_endpoint", "_uri")):
            assert value.startswith(ISSUER)
        elif name.endswith("s_supported"):
            assert value
            assert all(isinstance(one, str) and " " not in one for one in value)
        else:
            assert isinstance(value, bool), name
    for name, least in WANTED.items():
        assert least <= set(metadata[name]), name
    for name in ("backchannel_logout_supported", "backchannel_logout_session_supported"):
        assert metadata[name] is True
    assert metadata["end_session_endpoint"] == f"{ISSUER}/logout"
