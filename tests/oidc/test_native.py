"""Native applications (RFC 8252): any port of the loopback interface, and nothing else."""

from dataclasses import replace

import pytest

from idp.clients.redirects import accepts
from idp.clients.registration import Registration
from tests.support import portal
from tests.support.accounts import ADDRESS
from tests.support.journey import ISSUER, Person
from tests.support.tokens import claims_of

NATIVE = Registration(
    "Native",
    ("http://127.0.0.1/cb", "http://[::1]:1/cb?x=1", "https://app.example/cb"),
    application_type="native",
    token_endpoint_auth_method="none",
)


@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1/cb",
        "http://127.0.0.1:1/cb",
        "http://127.0.0.1:51004/cb",
        "http://127.0.0.1:65535/cb",
        "http://[::1]:51004/cb?x=1",
        "https://app.example/cb",
    ],
)
def test_any_port_of_this_machine_will_do(uri):
    assert accepts(NATIVE, uri)


@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1:0/cb",
        "http://127.0.0.1:65536/cb",
        "http://127.0.0.1:/cb",
        "http://127.0.0.1:51004/cb/",
        "http://127.0.0.1:51004/other",
        "http://127.0.0.1:51004/cb?x=1",
        "http://127.0.0.1:51004/cb#x",
        "http://127.0.0.1:51004@evil.example/cb",
        "http://user@127.0.0.1:51004/cb",
        "http://127.0.0.1.evil.example/cb",
        "http://127.0.0.2:51004/cb",
        "http://localhost:51004/cb",
        "https://127.0.0.1:51004/cb",
        "http://[::1]:51004/cb",
        "https://app.example:8443/cb",
        "http://127.0.0.1:51004/cb\n",
        "http://127.0.0.1:51004\\cb",
        "http://127.0.0.1:٣/cb",
    ],
)
def test_nothing_else_does(uri):
    assert not accepts(NATIVE, uri)


def test_a_web_application_keeps_its_port():
    web = replace(NATIVE, application_type="web")
    assert accepts(web, "http://127.0.0.1/cb")
    assert not accepts(web, "http://127.0.0.1:51004/cb")


def test_the_whole_way_with_a_port_of_this_moment(app, inbox, account):
    person = Person(app, inbox, portal.register(NATIVE))
    uri = "http://127.0.0.1:51004/cb"
    person.authorize(redirect_uri=uri)
    policy = person.browser.get(person.path, base_url=ISSUER).headers["Content-Security-Policy"]
    assert "form-action 'self' http://127.0.0.1:51004;" in policy
    person.two_factors(ADDRESS)
    fields = {
        "grant_type": "authorization_code",
        "client_id": person.client.client_id,
        "code": person.callback["code"],
        "redirect_uri": uri,
        "code_verifier": person.verifier,
    }
    other = app.test_client().post(
        "/token", data=fields | {"redirect_uri": "http://127.0.0.1:51005/cb"}, base_url=ISSUER
    )
    assert other.get_json()["error"] == "invalid_grant", "the port is the one that was asked with"
    answer = app.test_client().post("/token", data=fields, base_url=ISSUER)
    assert claims_of(answer.get_json())["sub"]
