"""Which scripts may read answers (Fetch; OAuth 2.0 for Browser-Based Applications)."""

import pytest

from idp.clients.registration import Registration
from tests.support import portal
from tests.support.journey import ISSUER

APP = "https://app.example"
PUBLIC = Registration("App", (f"{APP}/cb",), token_endpoint_auth_method="none")
PREFLIGHT = {
    "Origin": APP,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization",
}


@pytest.fixture(autouse=True)
def clients(app):
    """A public client, and the portal, which is confidential."""
    portal.register(PUBLIC)
    portal.register()


def ask(client, path, origin, method="GET"):
    headers = {"Origin": origin} if origin else {}
    return client.open(path, method=method, headers=headers, base_url=ISSUER).headers


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/jwks"])
def test_what_is_public_any_script_may_read(client, path):
    for origin in ("https://anybody.example", "null", None):
        assert ask(client, path, origin)["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize(
    ("path", "method"), [("/token", "POST"), ("/userinfo", "GET"), ("/revoke", "POST")]
)
def test_scripts_of_public_clients_read_answers_and_refusals(client, path, method):
    headers = ask(client, path, APP, method)
    assert headers["Access-Control-Allow-Origin"] == APP
    assert "DPoP-Nonce" in headers["Access-Control-Expose-Headers"]
    assert "Origin" in headers["Vary"]
    assert "Access-Control-Allow-Credentials" not in headers


@pytest.mark.parametrize("path", ["/token", "/userinfo", "/revoke"])
@pytest.mark.parametrize(
    "origin",
    [
        *("https://portal.example", "https://evil.example", "null", "http://app.example"),
        *("https://app.example.evil.example", "https://app.example:8443", "HTTPS://APP.EXAMPLE"),
        None,
    ],
)
def test_scripts_of_nobody_else_do(client, path, origin):
    headers = ask(client, path, origin, "POST")
    assert "Access-Control-Allow-Origin" not in headers
    assert "Origin" in headers["Vary"]


def test_a_preflight_is_answered(client):
    answer = client.options("/token", headers=PREFLIGHT, base_url=ISSUER)
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == APP
    for name in ("Authorization", "DPoP"):
        assert name in answer.headers["Access-Control-Allow-Headers"]
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]


@pytest.mark.parametrize("path", ["/authorize", "/introspect", "/par", "/logout", "/account"])
def test_nothing_else_is_for_scripts(client, path):
    for method in ("GET", "POST", "OPTIONS"):
        assert "Access-Control-Allow-Origin" not in ask(client, path, APP, method)
