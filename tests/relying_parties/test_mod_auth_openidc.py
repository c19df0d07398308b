"""Apache with mod_auth_openidc, as Debian 12 ships it: every check of an ID token is the module's own."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from idp.clients.registration import Registration
from idp.oidc import backchannel
from tests.relying_parties.visit import Visit
from tests.support import apache, portal
from tests.support.accounts import ADDRESS
from tests.support.apache import Apache
from tests.support.environment import require
from tests.support.forger import Forger, forgeries
from tests.support.portal import TestClientApp
from tests.support.recipes import recipe
from tests.support.signing import make_key

WHO = f"{ADDRESS}\nJeanne\nurn:seuil:acr:email\n"

Started = Callable[..., TestClientApp]


@pytest.fixture
def server() -> Iterator[Apache]:
    require(apache.installed(), "apache2-bin with libapache2-mod-auth-openidc")
    server = Apache()
    yield server
    server.stop()


@pytest.fixture
def started(server: Apache, provider: str) -> Started:
    """Registers a client and starts the server as the recipe says, with one block of it or both."""

    def start(issuer: str = provider, *, by_key: bool = False, **changes: Any) -> TestClientApp:
        new = Registration(
            "Apache",
            (f"{server.url}/callback",),
            post_logout_redirect_uris=(f"{server.url}/open.html",),
            backchannel_logout_uri=f"{server.url}/callback?logout=backchannel",
            **changes,
        )
        client = portal.register(new)
        ours = {
            "https://login.example.org": issuer,
            "https://app.example.org": server.url,
            "archives": client.client_id,
            '"the secret"': client.secret or "none",
        }
        text = recipe("apache", "OIDCClientID", ours)
        if by_key:
            text += recipe("apache", "OIDCPrivateKeyFiles", {"/etc/apache2/oidc": str(server.home)})
        server.start(text)
        return client

    return start


def test_signing_in_and_out_with_a_secret(server: Apache, started: Started, visit) -> None:
    here: Visit = visit(started(), server.url)
    here.open("/")
    assert here.page is None
    assert here.sign_in(ADDRESS).page.text == WHO
    assert here.open(f"/callback?logout={server.url}/open.html").page.text == "Bye"
    assert here.open("/").person.step == "sign-in"


def test_with_a_key_by_form_and_with_other_algorithms(server, started, visit) -> None:
    key = make_key("RS256")
    (server.home / "key.pem").write_bytes(key.as_pem(private=True))
    (server.home / "public.pem").write_bytes(key.as_pem(private=False))
    client = started(
        by_key=True,
        token_endpoint_auth_method="private_key_jwt",
        jwks_uri=f"{server.url}/callback?jwks=rsa",
        id_token_signed_response_alg="ES256",
        userinfo_signed_response_alg="ES256",
    )
    here: Visit = visit(client, server.url)
    assert here.open("/").sign_in(ADDRESS).page.text == WHO
    # The end of the session elsewhere is the end of it here.
    here.person.get("/logout").press("Se déconnecter")
    assert backchannel.tell_next() is True
    assert here.open("/").person.step == "sign-in"


def test_forged_id_tokens_are_noticed(app, server, started, visit, forger: Forger) -> None:
    here: Visit = visit(started(forger.url), server.url)
    here.open("/").sign_in(ADDRESS)
    for what, forger.forge in forgeries(app).items():
        assert "Error in handling response type" in here.forget().open("/").page.text, what
    forger.forge = None
    assert here.forget().open("/").page.text == WHO
