"""Redirect URIs are compared character by character; a near miss is a page, never a Location
(RFC 9700 2.1 and 4.1.3)."""

import pytest
from werkzeug.datastructures import MultiDict

from idp.clients import manage
from idp.clients.registration import Registration
from idp.extensions import db, transaction
from idp.grants.models import AuthorizationCode
from tests.support.accounts import ADDRESS
from tests.support.journey import ISSUER, NEW_PASSWORD

REGISTERED = "https://portal.example/callback"
NEAR_MISSES = [
    "https://portal.example/callback/",
    "https://portal.example/callback?",
    "https://portal.example/callback?x=1",
    "https://portal.example/callback#",
    "https://portal.example/callback#x",
    "https://portal.example/Callback",
    "https://PORTAL.example/callback",
    "HTTPS://portal.example/callback",
    "http://portal.example/callback",
    "https://portal.example:443/callback",
    "https://portal.example:8443/callback",
    "https://portal.example./callback",
    "https://portal.example/callback/../callback",
    "https://portal.example/./callback",
    "https://portal.example//callback",
    "https://portal.example/callback%00",
    "https://portal.example/c%61llback",
    "https://portal.example/callback ",
    " https://portal.example/callback",
    "https://portal.example/callback\r\nX: y",
    "https://evil.example/callback",
    "https://evil.example/?https://portal.example/callback",
    "https://portal.example.evil.example/callback",
    "https://portal.example@evil.example/callback",
    "https://portal.example:x@evil.example/callback",
    "https://evil.example\\@portal.example/callback",
    "https://portal.example\\.evil.example/callback",
    "https://sub.portal.example/callback",
    "//portal.example/callback",
    "/callback",
    "callback",
    "javascript:alert(1)",
    "data:text/html,x",
    "https://portal.exаmple/callback",
    "*",
    "",
    "\ufffd",
    "x" * 5000,
]


def ask(person, method, parameters):
    values = MultiDict(
        {
            "response_type": "code",
            "client_id": person.client.client_id,
            "scope": "openid",
            "state": "s",
            **parameters,
        }
    )
    options = {"query_string": values} if method == "GET" else {"data": values}
    return person.browser.open("/authorize", method=method, base_url=ISSUER, **options)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("uri", NEAR_MISSES, ids=range(len(NEAR_MISSES)))
def test_a_near_miss_never_gives_a_location(person, method, uri):
    answer = ask(person, method, {"redirect_uri": uri})
    assert answer.status_code == 400
    assert "Location" not in answer.headers
    assert 'data-step="error"' in answer.get_data(as_text=True)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"redirect_uri": [REGISTERED, REGISTERED]},
        {"redirect_uri": [REGISTERED, "https://evil.example/"]},
        {"redirect_uri": REGISTERED, "client_id": "nobody"},
        {"redirect_uri": REGISTERED, "client_id": ""},
        {"redirect_uri": REGISTERED, "client_id": "\x00"},
    ],
)
def test_without_one_known_client_and_one_uri_there_is_no_location(person, method, parameters):
    answer = ask(person, method, parameters)
    assert answer.status_code == 400
    assert "Location" not in answer.headers


def test_the_uri_of_another_client_is_foreign(person, app):
    with transaction():
        manage.create(Registration("other", ("https://other.example/cb",)))
    answer = ask(person, "GET", {"redirect_uri": "https://other.example/cb"})
    assert "Location" not in answer.headers


def test_a_uri_with_a_query_of_its_own_keeps_it(person, app, account):
    uri = "https://portal.example/cb?tenant=7"
    with transaction():
        client, _secret = manage.create(Registration("q", (uri,)))
        client_id = client.client_id
    person.authorize(client_id=client_id, redirect_uri=uri).two_factors(ADDRESS)
    assert person.callback["tenant"] == "7"
    assert person.callback["code"]
    for near in ("", "?tenant=8", "?tenant=7&x=1", "?x=1&tenant=7"):
        missed = {"client_id": client_id, "redirect_uri": uri.partition("?")[0] + near}
        assert "Location" not in ask(person, "GET", missed).headers


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_address_that_is_unregistered_while_somebody_signs_in_is_not_gone_to(
    person, account, method
):
    person.method = method
    person.authorize().sign_in(ADDRESS, NEW_PASSWORD)
    with transaction():
        changes = {"redirect_uris": ("https://portal.example/other",)}
        manage.update_client(person.client.client_id, changes)
    person.press("Vérifier le code", code=person.code())
    assert (person.step, person.page.status, person.callback) == ("error", 410, None)
    assert db.session.query(AuthorizationCode).count() == 0
