"""Django with mozilla-django-oidc."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from idp.clients.registration import Registration
from tests.relying_parties.visit import Visit
from tests.support import portal
from tests.support.accounts import ADDRESS
from tests.support.forger import Forger, forgeries
from tests.support.ports import free_port, wait_for

ROOT = Path(__file__).parents[2]
IN, OUT = "/oidc/authenticate/", "/oidc/logout/"
NOTICED = {
    "of another request": "JWT Nonce verification failed",
    "of yesterday": "Signature has expired",
    "about another person": "JWS token verification failed",
    "of nobody": "Could not find a valid JWKS",
}
"""It looks neither at `aud` nor at `iss`: that the token came from our token endpoint has to do."""

Party = Callable[..., Visit]


@pytest.fixture
def party(visit, provider: str, tmp_path: Path) -> Iterator[Party]:
    """Registers a party and starts it."""
    processes = []

    def start(token_from: str = provider, alg: str = "RS256", **changes: Any) -> Visit:
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        new = Registration(
            "Django",
            (f"{url}/oidc/callback/",),
            post_logout_redirect_uris=(f"{url}/",),
            id_token_signed_response_alg=alg,
            **changes,
        )
        client = portal.register(new)
        ours = {
            "https://login.example.org/token": f"{token_from}/token",
            "https://login.example.org": provider,
            '"archives"': f'"{client.client_id}"',
            "the secret": client.secret,
            "RS256": alg,
            "archives.urls": "tests.relying_parties.django_party.urls",
        }
        given = {"recipe": ours, "database": str(tmp_path / "party.db")}
        command = [sys.executable, "-m", "tests.relying_parties.django_party.serve", str(port)]
        environment = {**os.environ, "PARTY": json.dumps(given)}
        processes.append(subprocess.Popen(command, cwd=ROOT, env=environment))
        wait_for(port)
        return visit(client, url)

    yield start
    for process in processes:
        process.kill()
        process.wait(20)


@pytest.mark.parametrize("alg", ["RS256", "ES256"])
def test_signing_in_and_out(party: Party, alg: str) -> None:
    here = party(alg=alg, userinfo_signed_response_alg="" if alg == "RS256" else alg)
    assert here.open("/").page.text == "nobody"
    assert here.open(IN).sign_in(ADDRESS).page.text == ADDRESS
    assert here.open(OUT, csrf="").page.text == "nobody"
    assert here.open(IN).person.step == "sign-in"


def test_forged_id_tokens_are_noticed(app, party: Party, forger: Forger) -> None:
    here = party(forger.url)
    here.open(IN).sign_in(ADDRESS)
    for what, forger.forge in forgeries(app).items():
        assert NOTICED.get(what, ADDRESS) in here.forget().open(IN).page.text
    forger.forge = None
    assert here.forget().open(IN).page.text == ADDRESS
