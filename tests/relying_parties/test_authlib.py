"""Authlib as a client, on Flask."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from authlib.oauth2.rfc7523 import PrivateKeyJWT

from idp.clients.registration import Registration
from tests.relying_parties.authlib_party import create_app
from tests.relying_parties.visit import Visit
from tests.support import portal
from tests.support.accounts import ADDRESS
from tests.support.agreeing import YES
from tests.support.forger import Forger, forgeries
from tests.support.ports import free_port
from tests.support.signing import make_key, public_set
from tests.support.threads import listening

ASKED = {"scope": "openid profile email", "code_challenge_method": "S256"}
KEY = make_key("RS256")
BY_KEY = {
    "client_secret": KEY,
    "client_auth_methods": [PrivateKeyJWT()],
    "client_kwargs": {**ASKED, "token_endpoint_auth_method": "private_key_jwt"},
}

Party = Callable[..., Visit]


@pytest.fixture
def party(visit, provider: str) -> Iterator[Party]:
    """Registers a party and starts it."""
    with ExitStack() as running:

        def start(issuer: str = provider, own: dict[str, Any] | None = None, **new: Any) -> Visit:
            port = free_port()
            url = f"http://127.0.0.1:{port}"
            addresses = {
                "redirect_uris": (f"{url}/callback",),
                "post_logout_redirect_uris": (f"{url}/",),
            }
            client = portal.register(Registration("Authlib", **addresses, **new))
            secret = {"client_secret": client.secret, "client_kwargs": ASKED}
            app = create_app(issuer, client_id=client.client_id, **(own or secret))
            running.enter_context(listening(app, port))
            return visit(client, url)

        yield start


def test_signing_in_and_out_with_a_secret(party: Party) -> None:
    here = party()
    assert here.open("/").page.json() is None
    who = here.open("/login").sign_in(ADDRESS).page.json()
    assert (who["email"], who["given_name"]) == (ADDRESS, "Jeanne")
    assert here.open("/logout").page.json() is None
    assert here.open("/login").person.step == "sign-in"


def test_with_a_key_and_another_algorithm(party: Party) -> None:
    here = party(
        own=BY_KEY,
        token_endpoint_auth_method="private_key_jwt",
        jwks=public_set(KEY),
        id_token_signed_response_alg="ES256",
    )
    assert here.open("/login").sign_in(ADDRESS).page.json()["email"] == ADDRESS


def test_an_application_of_others_waits_for_consent(party: Party) -> None:
    here = party(first_party=False)
    here.open("/login").sign_in(ADDRESS)
    assert (here.page, here.person.step) == (None, "consent")
    assert here.press(YES).page.json()["email"] == ADDRESS
    assert here.forget().open("/login").page.json()["email"] == ADDRESS


def test_forged_id_tokens_are_noticed(app, party: Party, forger: Forger) -> None:
    here = party(forger.url)
    here.open("/login").sign_in(ADDRESS)
    noticed = {}
    for what, forger.forge in forgeries(app).items():
        noticed[what] = here.forget().open("/login").page.text
    assert noticed == {
        "of another request": "InvalidClaimError",
        "for another client": "MissingClaimError",
        "of another provider": "InvalidClaimError",
        "of yesterday": "ExpiredTokenError",
        "about another person": "BadSignatureError",
        "of nobody": "UnsupportedAlgorithmError",
    }
