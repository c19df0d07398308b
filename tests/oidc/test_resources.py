"""Resource indicators (RFC 8707): which resource server a token is for."""

import pytest

from idp.clients import manage
from idp.extensions import transaction
from tests.oidc.conftest import told
from tests.support.agreeing import YES, come_from_others
from tests.support.apis import API, OTHER, allow, opened, register_api
from tests.support.journey import ISSUER
from tests.support.signing import make_key, public_set, sign
from tests.support.tokens import ask_token, redeem, refresh, userinfo

SCOPE = "openid email read look list offline_access"
OURS = f"{ISSUER}/userinfo"


@pytest.fixture
def ready(at_home):
    """A client that may use two resource servers, at home."""
    register_api()
    register_api(OTHER, "look list")
    allow(at_home.client, API, OTHER, scope="read look list")
    return at_home


def refused(answer, error="invalid_target"):
    return (answer.status_code, answer.get_json()["error"]) == (400, error)


def audience(tokens):
    return opened(tokens["access_token"])[1]["aud"]


def test_without_any_a_token_is_for_userinfo(ready):
    tokens = redeem(ready.authorize(scope=SCOPE))
    assert tokens["scope"] == "openid email offline_access", "scopes of others are left out"
    assert userinfo(ready, tokens["access_token"]).status_code == 200


def test_the_one_that_was_asked_for_need_not_be_named_again(ready):
    tokens = redeem(ready.authorize(scope=SCOPE, resource=API))
    assert audience(tokens) == API
    assert tokens["scope"] == "read"
    assert userinfo(ready, tokens["access_token"]).status_code == 401, "it is not for us"


def test_of_several_one_must_be_named_and_the_code_is_not_burnt(ready):
    path = ready.authorize_path(scope=SCOPE, resource=API) + f"&resource={OTHER}"
    ready.get(path)
    assert refused(ask_token(ready))
    assert refused(ask_token(ready, resource=[API, OTHER]))
    assert refused(ask_token(ready, resource="https://nowhere.example/"))
    tokens = redeem(ready, resource=OTHER)
    assert (audience(tokens), tokens["scope"]) == (OTHER, "look list")


def test_a_refresh_may_ask_for_another_of_those_granted_and_for_userinfo(ready):
    ready.get(ready.authorize_path(scope=SCOPE, resource=API) + f"&resource={OTHER}")
    tokens = redeem(ready, resource=API)
    tokens = refresh(ready, tokens["refresh_token"], resource=OTHER).get_json()
    assert audience(tokens) == OTHER
    narrow = refresh(ready, tokens["refresh_token"], resource=OTHER, scope="look").get_json()
    assert narrow["scope"] == "look"
    last = refresh(ready, narrow["refresh_token"], resource=OURS).get_json()
    assert userinfo(ready, last["access_token"]).get_json()["email"]


def test_what_was_not_granted_is_refused_and_the_refresh_token_lives(ready):
    tokens = redeem(ready.authorize(scope=SCOPE, resource=API))
    for other in (OTHER, "", "x", "\x00", "é" * 500):
        assert refused(refresh(ready, tokens["refresh_token"], resource=other))
    assert refresh(ready, tokens["refresh_token"]).status_code == 200


def test_without_a_scope_of_its_own_there_is_no_token_for_it(ready):
    """Whoever agreed to `openid` did not agree to anything at the resource server."""
    ready.authorize(scope="openid look", resource=API)
    assert ready.callback["error"] == "invalid_scope"
    tokens = redeem(ready.authorize(scope=SCOPE, resource=API))
    assert refused(refresh(ready, tokens["refresh_token"], scope="openid"), "invalid_scope")
    assert refresh(ready, tokens["refresh_token"], scope="openid read").status_code == 200


def test_people_are_told_whose_scope_they_agree_to(ready):
    come_from_others(ready)
    allow(ready.client, API)
    ready.authorize(scope="openid read", resource=API)
    assert ready.step == "consent"
    assert "utiliser API en votre nom (read)" in ready.page.text
    tokens = redeem(ready.press(YES))
    assert (audience(tokens), tokens["scope"]) == (API, "read")


@pytest.mark.parametrize(
    ("reads", "told"),
    [
        ("fr", ["lire <b>vos</b> factures (API)", "utiliser API en votre nom (write)"]),
        ("en", ["read your bills (API)", "pay your bills (API)"]),
    ],
)
def test_people_are_told_what_a_scope_allows_in_their_language(person, at_home, reads, told):
    words = {
        "read": "lire <b>vos</b> factures",
        "read#en-GB": "read your bills",
        "write#en": "pay your bills",
    }
    register_api(resource_scope_words=words)
    come_from_others(person)
    allow(person.client, API)
    person.authorize(scope="openid read write", resource=API, ui_locales=reads)
    assert all(one in person.page.text for one in told)
    if reads == "fr":
        person.press(YES).get("/account/applications")
        assert all(one in person.page.text for one in told)


def test_userinfo_may_be_named_beside_others(ready):
    ready.get(ready.authorize_path(scope=SCOPE, resource=API) + f"&resource={OURS}")
    tokens = redeem(ready, resource=OURS)
    assert userinfo(ready, tokens["access_token"]).status_code == 200


def test_a_client_that_may_no_longer_use_it_gets_no_more_tokens(ready):
    tokens = redeem(ready.authorize(scope=SCOPE, resource=API))
    changes = {"resources": (OTHER,), "scope": SCOPE.replace(" read", "")}
    with transaction():
        manage.update_client(ready.client.client_id, changes)
    assert refused(refresh(ready, tokens["refresh_token"], resource=API))
    assert refused(refresh(ready, tokens["refresh_token"]))


@pytest.mark.parametrize(
    "resource",
    [OTHER, f"{API}/", API.upper(), f"{API}#x", "", "x", ["https://api.example/v1", OTHER]],
    ids=str,
)
def test_the_authorization_endpoint_takes_those_of_the_client_only(ask, person, resource):
    register_api()
    register_api(OTHER, "look")
    allow(person.client, API)
    assert told(ask(resource=resource))["error"] == "invalid_target"


@pytest.mark.parametrize("value", ["\x00", "x" * 3000])
def test_hostile_ones_behind_a_good_one_are_seen(ask, person, value):
    register_api()
    allow(person.client, API)
    assert told(ask(resource=[API, value]))["error"] == "invalid_request"


def test_they_may_be_pushed_and_signed(ready):
    key = make_key()
    name = ready.client.client_id
    changes = {"request_object_signing_alg": "ES256", "jwks": public_set(key)}
    with transaction():
        manage.update_client(name, changes)
    claims = {
        "iss": name,
        "aud": ISSUER,
        "client_id": name,
        "response_type": "code",
        "redirect_uri": ready.client.redirect_uri,
        "scope": SCOPE,
        "resource": [API, OTHER],
        "code_challenge": ready.challenge,
        "code_challenge_method": "S256",
    }
    plain = {name: claims[name] for name in claims.keys() - {"iss", "aud"}}
    for fields in ({"client_id": name, "request": sign(key, claims)}, plain):
        auth = (name, ready.client.secret)
        pushed = ready.app.test_client().post("/par", data=fields, auth=auth, base_url=ISSUER)
        assert pushed.status_code == 201, pushed.get_json()
        query = f"client_id={name}&request_uri={pushed.get_json()['request_uri']}"
        ready.get(f"/authorize?{query}")
        assert audience(redeem(ready, resource=OTHER)) == OTHER
