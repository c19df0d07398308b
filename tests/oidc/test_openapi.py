"""docs/openapi.yaml (OpenAPI 3.1) says how the JSON endpoints answer, to what is right and to what is not."""

import base64
from dataclasses import fields

import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as limits
from hypothesis import strategies as st
from schemathesis import GenerationMode

from idp.clients import manage, strangers
from idp.clients.registration import Registration
from idp.extensions import transaction
from tests.support import openapi
from tests.support.journey import ISSUER
from tests.support.registering import EVERYTHING, Developer
from tests.support.settings import override
from tests.support.tokens import ask_token, redeem, refresh, userinfo

NOT_JSON = ("/authorize", "/logout", "/alert", "/reminders", "/account", "/interaction", "/static")
BOUNDED = limits(
    max_examples=20,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)
"""The same few each time; who wants more of them changes the number."""


@pytest.fixture(autouse=True)
def everything_on(app):
    options = {"registrations_per_network": 10**6, "registrations_per_day": 10**6}
    with override(app, registration="open", interactions_per_network=10**6, **options):
        yield


def post(person, path, secret=None, **form):
    auth = (person.client.client_id, person.client.secret if secret is None else secret)
    return person.app.test_client().post(path, data=form, auth=auth, base_url=ISSUER)


def test_it_names_every_endpoint_that_answers_in_json(app):
    served = {
        (rule.rule.replace("<", "{").replace(">", "}"), method.casefold())
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if not rule.rule.startswith(NOT_JSON) and rule.rule not in {"/", "/healthz"}
    }
    assert {(one.path, one.method) for one in openapi.OPERATIONS} == served


def test_it_names_every_field_of_a_registration():
    named = openapi.DOCUMENT["components"]["schemas"]["Registration"]["properties"].keys()
    told = {field.name for field in fields(Registration)} - strangers.FIXED.keys()
    assert named == (told - {"localized"}) | {"response_types"}


def test_what_anybody_may_read_is_as_it_says(client):
    for path in ("/.well-known/openid-configuration", "/jwks"):
        openapi.check(path, "GET", client.get(path, base_url=ISSUER))


def test_the_life_of_a_token_is_as_it_says(person, at_home):
    at_home.authorize(scope="openid profile email phone address offline_access")
    first = openapi.check("/token", "POST", ask_token(person)).get_json()
    openapi.check("/token", "POST", refresh(person, first["refresh_token"]))
    for method in ("GET", "POST"):
        openapi.check("/userinfo", method, userinfo(person, first["access_token"]))
    for token in (first["access_token"], "x"):
        openapi.check("/introspect", "POST", post(person, "/introspect", token=token))
    openapi.check("/revoke", "POST", post(person, "/revoke", token=first["access_token"]))
    refused = openapi.check("/userinfo", "GET", userinfo(person, first["access_token"]))
    assert refused.status_code == 401


def test_a_signed_answer_is_as_it_says(signed_in):
    with transaction():
        changes = {"userinfo_signed_response_alg": "RS256"}
        manage.update_client(signed_in.client.client_id, changes)
    answer = userinfo(signed_in, redeem(signed_in)["access_token"])
    assert answer.mimetype in openapi.media_types("/userinfo", "GET", 200) - {"application/json"}


def test_a_pushed_request_is_as_it_says(person):
    form = {
        "response_type": "code",
        "redirect_uri": person.client.redirect_uri,
        "scope": "openid",
        "code_challenge": person.challenge,
        "code_challenge_method": "S256",
    }
    assert openapi.check("/par", "POST", post(person, "/par", **form)).status_code == 201


@pytest.mark.parametrize("path", ["/token", "/introspect", "/revoke", "/par"])
def test_what_is_refused_is_as_it_says(person, path):
    wrong = post(person, path, secret="wrong", token="x", grant_type="refresh_token")
    assert openapi.check(path, "POST", wrong).status_code == 401
    assert openapi.check(path, "POST", post(person, path, x="y" * 70_000)).status_code == 413
    assert openapi.check(path, "POST", post(person, path)).status_code == 400


def test_the_life_of_a_registration_is_as_it_says(app):
    developer, path = Developer(app), "/register/{client_id}"
    openapi.check("/register", "POST", developer.register())
    openapi.check("/register", "POST", developer.register("x"))
    openapi.check("/register", "POST", developer.register(redirect_uris=[]))
    openapi.check("/register", "POST", developer.register(**EVERYTHING))
    openapi.check(path, "GET", developer.manage("GET"))
    openapi.check(path, "PUT", developer.manage("PUT", developer.repeatable))
    assert openapi.check(path, "DELETE", developer.manage("DELETE")).status_code == 204
    assert openapi.check(path, "GET", developer.manage("GET")).status_code == 401
    with override(app, registration="off"):
        assert openapi.check("/register", "POST", developer.register()).status_code == 404


@pytest.fixture
def known(app, portal, signed_in):
    """Makes a request one of somebody whom the provider knows; what goes into the Authorization header."""
    developer = Developer(app)
    developer.register()
    token = redeem(signed_in)["access_token"]
    basic = base64.b64encode(f"{portal.client_id}:{portal.secret}".encode()).decode()

    def make(case):
        case.path_parameters = {"client_id": developer.known["client_id"]}
        if isinstance(case.body, dict):
            for name in ("client_id", "client_secret", "client_assertion", "access_token"):
                case.body.pop(name, None)
        match case.path:
            case "/userinfo":
                return f"Bearer {token}"
            case "/register":
                return ""
            case "/register/{client_id}":
                if isinstance(case.body, dict):
                    case.body["client_id"] = developer.known["client_id"]
                return f"Bearer {developer.known['registration_access_token']}"
        return f"Basic {basic}"

    return make


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize(
    "operation", openapi.WITH_BODY, ids=[one.label for one in openapi.WITH_BODY]
)
def test_whatever_is_sent_is_answered_as_it_says(app, known, operation, mode):
    """Requests that the description allows, and requests that it does not, by whoever is known or not."""

    @BOUNDED
    @given(case=operation.as_strategy(generation_mode=mode), by_somebody=st.booleans())
    def answered(case, by_somebody):
        authorization = known(case) if by_somebody else ""
        headers = {"Authorization": authorization} if authorization else {}
        answer = openapi.send(app, case, ISSUER, **headers)
        case.validate_response(answer, checks=openapi.CHECKS)
        seen.add(answer.status_code)

    seen = set()
    answered()
    if mode is GenerationMode.POSITIVE:
        assert len(seen) > 1, "whoever is known is answered otherwise than others"
