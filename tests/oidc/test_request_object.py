"""Request objects (RFC 9101, OIDC Core 6.1)."""

import functools

import pytest

from tests.support.accounts import ADDRESS
from tests.support.agreeing import change_client
from tests.support.journey import ISSUER, Page
from tests.support.settings import override
from tests.support.signing import assertion, make_key, public_set, sign
from tests.support.tokens import claims_of, redeem


@pytest.fixture(scope="module")
def key():
    return make_key()


@pytest.fixture(autouse=True, params=["GET", "POST"])
def method(request, person):
    """Every rule holds for both ways to send a request."""
    person.method = request.param


@pytest.fixture
def signer(person, key):
    """The portal, registered for signed request objects."""
    change_client(person, request_object_signing_alg="ES256", jwks=public_set(key))
    return person


def content(person, **changes):
    """A whole request, for us; some claims changed or (None) left out."""
    name = person.client.client_id
    claims = {
        "iss": name,
        "aud": ISSUER,
        "client_id": name,
        "response_type": "code",
        "redirect_uri": person.client.redirect_uri,
        "scope": "openid email",
        "state": "signed state",
        "nonce": "signed nonce",
        "code_challenge": person.challenge,
        "code_challenge_method": "S256",
    } | changes
    return {name: value for name, value in claims.items() if value is not None}


@pytest.mark.usefixtures("account")
def test_only_what_is_signed_counts(signer, key):
    request = sign(key, content(signer), typ="oauth-authz-req+jwt")
    signer.authorize(request=request, state="of the query", nonce="of the query", prompt="none")
    assert signer.step == "sign-in", "prompt=none was not signed"
    signer.two_factors(ADDRESS)
    assert signer.callback["state"] == "signed state"
    assert claims_of(redeem(signer))["nonce"] == "signed nonce"


@pytest.mark.usefixtures("account")
def test_numbers_and_objects_are_taken_as_they_are(signer, key):
    wishes = {"id_token": {"email": None}}
    request = sign(key, content(signer, claims=wishes, max_age=3600))
    signer.authorize(request=request).two_factors(ADDRESS)
    assert claims_of(redeem(signer))["email"] == ADDRESS


@pytest.mark.usefixtures("account")
def test_the_query_need_hold_no_more_than_client_and_object(signer, key):
    path = f"/authorize?client_id={signer.client.client_id}&request={sign(key, content(signer))}"
    signer.get(path).two_factors(ADDRESS)
    assert redeem(signer)["id_token"]


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "other"},
        {"iss": None},
        {"aud": "https://other.example"},
        {"aud": None},
        {"client_id": "other"},
        {"client_id": None},
        {"exp": 1},
        {"exp": "x"},
        {"nbf": 99999999999},
        {"request": "x"},
        {"request_uri": "https://x.example"},
        {"prompt": ["login"]},
        {"max_age": True},
        {"max_age": 1.5},
        {"nonce": "\ud800"},
        {"state": "\udfff"},
        {
            "claims": {
                "userinfo": {"email": {"value": functools.reduce(lambda x, _: [x], range(99))}}
            }
        },
    ],
    ids=ascii,
)
def test_an_object_that_is_no_good_is_told_where_the_answer_would_go(signer, key, changes):
    signer.authorize(request=sign(key, content(signer, **changes)))
    assert signer.callback["error"] == "invalid_request_object"
    assert signer.callback["state"] == "the state"


def test_neither_another_key_nor_another_algorithm_nor_a_change_is_taken(signer, key):
    good = sign(key, content(signer))
    head, body, signature = good.split(".")
    other_body = sign(make_key(), content(signer, scope="openid phone")).split(".")[1]
    bad = [
        sign(make_key(), content(signer)),
        sign(make_key("RS256"), content(signer), "RS256"),
        f"{head}.{other_body}.{signature}",
        f"eyJhbGciOiJub25lIn0.{body}.",
        *("", "x", "a.b.c", "é", "e30.e30.e30", f"{good}.x", "x" * 17_000),
    ]
    for text in bad:
        signer.authorize(request=text)
        assert signer.callback["error"] == "invalid_request_object", text[:40]


@pytest.mark.parametrize("typ", ["logout+jwt", "dpop+jwt", "at+jwt"])
def test_a_jwt_that_says_it_is_another_kind_is_no_request(signer, key, typ):
    """RFC 9101 10.8.1."""
    signer.authorize(request=sign(key, content(signer), typ=typ))
    assert signer.callback["error"] == "invalid_request_object"


def test_a_client_assertion_is_no_request(signer, key):
    claims = {**content(signer), **assertion(signer.client.client_id)}
    signer.authorize(request=sign(key, claims))
    assert signer.callback["error"] == "invalid_request_object"


def test_an_object_with_an_unregistered_address_is_a_page(signer, key):
    signer.authorize(request=sign(key, content(signer, redirect_uri="https://evil.example/")))
    assert signer.page.status == 400
    signer.authorize(request=sign(key, content(signer, redirect_uri=None)))
    assert signer.page.status == 400


def test_what_is_signed_is_checked_like_any_request(signer, key):
    signer.authorize(request=sign(key, content(signer, scope="email")))
    assert signer.callback["error"] == "invalid_scope"
    assert signer.callback["state"] == "signed state"


def test_a_client_that_is_not_registered_for_objects_is_told_so(person, key):
    person.authorize(request=sign(key, content(person)))
    assert person.callback["error"] == "request_not_supported"
    person.authorize(request_uri="https://portal.example/r")
    assert person.callback["error"] == "request_uri_not_supported"


def test_a_client_that_must_sign_is_not_heard_otherwise(signer, key):
    change_client(signer, require_signed_request_object=True)
    signer.authorize()
    assert signer.callback["error"] == "invalid_request"
    assert signer.authorize(request=sign(key, content(signer))).step == "sign-in"


def unsigned(claims):
    text = sign(make_key(), claims).split(".")[1]
    return f"eyJhbGciOiJub25lIn0.{text}."


@pytest.mark.usefixtures("account")
def test_unsigned_objects_need_the_registration_and_the_deployment(person):
    request = unsigned(content(person, iss=None, aud=None))
    person.authorize(request=request)
    assert person.callback["error"] == "request_not_supported"
    with override(person.app, weaker_clients=("unsigned-requests",)):
        person.authorize(request=request)
        assert person.callback["error"] == "request_not_supported"
        change_client(person, request_object_signing_alg="none")
        person.authorize(request=request).two_factors(ADDRESS)
        assert person.callback["state"] == "signed state"
        person.authorize(request=f"{request}AAAA")
        assert person.callback["error"] == "invalid_request_object"
        for changes in ({"client_id": "other"}, {"exp": 1}, {"nbf": 99999999999}):
            person.authorize(request=unsigned(content(person, **changes)))
            assert person.callback["error"] == "invalid_request_object"
    person.authorize(request=request)
    assert person.callback["error"] == "request_not_supported"


def test_discovery_says_which_algorithms(client, app):
    def supported():
        document = client.get("/.well-known/openid-configuration", base_url=ISSUER).get_json()
        assert document["request_parameter_supported"] is True
        assert document["request_uri_parameter_supported"] is False
        return document["request_object_signing_alg_values_supported"]

    assert supported() == ["RS256", "PS256", "ES256", "Ed25519", "EdDSA"]
    with override(app, weaker_clients=("unsigned-requests",)):
        assert "none" in supported()


def test_an_unknown_client_is_a_page(person, key):
    answer = person.browser.get("/authorize?client_id=nobody&request=x", base_url=ISSUER)
    assert answer.status_code == 400
    assert Page(answer).step == "error"
