"""The npm package openid-client: what it asks for and checks by itself is not ours to decide."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask

from idp.clients import registration_tokens
from idp.clients.registration import Registration
from idp.extensions import transaction
from tests.support import portal
from tests.support.accounts import ADDRESS, make_account
from tests.support.agreeing import YES
from tests.support.apis import API, opened, register_api
from tests.support.environment import require
from tests.support.inbox import Inbox
from tests.support.journey import Person
from tests.support.remote import RemoteBrowser
from tests.support.settings import override
from tests.support.signing import make_key, public_set
from tests.support.threads import providing

HOME = Path(__file__).parent / "openid_client"
CALLBACK = "https://party.example/callback"
BYE = "https://party.example/bye"


class Party:
    """The process, told what to do a line at a time."""

    def __init__(self, setup: dict[str, Any]) -> None:
        # Global there since node 20; Debian 12 has 18, which wants to be asked.
        flag = ["--experimental-global-webcrypto"] if _major() < 20 else []
        self._process = subprocess.Popen(
            ["node", *flag, str(HOME / "party.js")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._say(setup)
        assert self._hear()["issuer"] == setup["issuer"]

    def do(self, act: str, **arguments: Any) -> Any:
        """What came of it; a failure is a failed test."""
        self._say({"act": act, **arguments})
        said = self._hear()
        assert "error" not in said, said
        return said

    def _say(self, line: dict[str, Any]) -> None:
        assert self._process.stdin
        self._process.stdin.write(json.dumps(line) + "\n")
        self._process.stdin.flush()

    def _hear(self) -> Any:
        assert self._process.stdout
        return json.loads(self._process.stdout.readline())

    def stop(self) -> None:
        """End it."""
        self._say({})
        self._process.wait(10)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()


def _major() -> int:
    said = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    return int(said.removeprefix("v").split(".")[0])


@pytest.fixture
def server(app):
    there = shutil.which("node") is not None and (HOME / "node_modules").is_dir()
    require(there, f"node with openid-client (npm ci in {HOME.name})")
    make_account()
    with providing(app) as url:
        yield url


Begun = Callable[..., tuple[Party, Person]]


@pytest.fixture
def begun(app, inbox, server) -> Iterator[Begun]:
    """Registers a client and starts it; party and person."""
    parties = []

    def begin(way: str, *, dpop: bool = False, **changes: Any) -> tuple[Party, Person]:
        key = make_key()
        new = replace(
            Registration(
                "Party",
                (CALLBACK,),
                post_logout_redirect_uris=(BYE,),
                grant_types=("authorization_code", "refresh_token"),
                scope="openid profile email offline_access",
                token_endpoint_auth_method=way,
                jwks=public_set(key),
                request_object_signing_alg="ES256",
            ),
            **changes,
        )
        client = portal.register(new)
        party = Party(
            {
                "issuer": server,
                "client_id": client.client_id,
                "secret": client.secret,
                "way": way,
                "dpop": dpop,
                "key": key.as_dict(private=True),
                "redirect_uri": CALLBACK,
                "metadata": {
                    "id_token_signed_response_alg": new.id_token_signed_response_alg,
                    "userinfo_signed_response_alg": new.userinfo_signed_response_alg or None,
                },
            }
        )
        parties.append(party)
        person = Person(app, inbox, client, server)
        person.browser = RemoteBrowser()
        return party, person

    yield begin
    for party in parties:
        party.stop()


def sign_in(party: Party, person: Person, how: str, **parameters: Any) -> Any:
    """From the party's address to its tokens."""
    asked = {"scope": "openid email offline_access", **parameters}
    url = party.do("begin", how=how, parameters=asked)["url"]
    person.get(url.removeprefix(person.issuer)).two_factors(ADDRESS)
    assert person.callback
    return party.do("finish", url=f"{CALLBACK}?{urlencode(person.callback)}")


@pytest.mark.parametrize("way", ["client_secret_basic", "private_key_jwt"])
def test_the_whole_life_of_a_sign_in(begun: Begun, way: str) -> None:
    party, person = begun(way)
    for how in ("plain", "pushed", "signed"):
        claims = sign_in(party, person, how, prompt="login")["claims"]
        assert claims["acr"] == "urn:seuil:acr:email"
    told = party.do("userinfo")
    assert (told["sub"], told["email"]) == (claims["sub"], ADDRESS)
    fresh = party.do("refresh", parameters={})
    state = party.do("introspect", token=fresh["access_token"])
    assert state["active"] is True
    assert state["sub"] == claims["sub"]
    party.do("revoke", token=fresh["refresh_token"])
    assert party.do("introspect", token=fresh["access_token"]) == {"active": False}


@pytest.mark.parametrize("way", ["client_secret_post", "none"])
def test_other_ways_to_authenticate(begun: Begun, way: str) -> None:
    party, person = begun(way)
    assert sign_in(party, person, "pushed")["claims"]["sub"]
    assert party.do("userinfo")["email"] == ADDRESS


def test_signed_answers_and_single_claims(begun: Begun) -> None:
    party, person = begun(
        "client_secret_basic",
        id_token_signed_response_alg="ES256",
        userinfo_signed_response_alg="RS256",
        subject_type="pairwise",
    )
    wishes = json.dumps({"id_token": {"email": None}})
    claims = sign_in(party, person, "plain", claims=wishes)["claims"]
    assert claims["email"] == ADDRESS
    assert party.do("userinfo")["sub"] == claims["sub"]


def test_an_application_that_registers_itself(app: Flask, inbox: Inbox, server: str) -> None:
    with transaction():
        _row, token = registration_tokens.issue(
            "party", uses=1, lives=timedelta(minutes=5), actor="os:tests"
        )
    metadata = {
        "client_name": "Registered by itself",
        "redirect_uris": [CALLBACK],
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "client_secret_post",
    }
    with override(app, registration="token"), ExitStack() as ended:
        setup = {"issuer": server, "register": metadata, "token": token, "redirect_uri": CALLBACK}
        party = Party(setup)
        ended.callback(party.stop)
        known = party.do("registered")
        client = portal.TestClientApp(known["client_id"], known["client_secret"], CALLBACK)
        person = Person(app, inbox, client, server)
        person.browser = RemoteBrowser()
        begun = party.do("begin", how="plain", parameters={"scope": "openid email"})["url"]
        person.get(begun.removeprefix(server)).two_factors(ADDRESS).press(YES)
        assert person.callback
        party.do("finish", url=f"{CALLBACK}?{urlencode(person.callback)}")
        assert party.do("userinfo")["email"] == ADDRESS


def test_a_key_that_every_token_is_bound_to(begun: Begun) -> None:
    """Each endpoint asks for a nonce first; the library comes again with it by itself."""
    party, person = begun("none", dpop=True, dpop_bound_access_tokens=True)
    signed_in = sign_in(party, person, "pushed")
    assert signed_in["tokens"]["token_type"] == "dpop"
    assert party.do("userinfo")["email"] == ADDRESS
    assert party.do("refresh", parameters={})["token_type"] == "dpop"
    assert party.do("userinfo")["sub"] == signed_in["claims"]["sub"]


def test_tokens_for_a_resource_server_and_of_its_own(begun: Begun) -> None:
    """Also for a client that signs each request: asked for a nonce it signs a fresh assertion."""
    register_api()
    party, person = begun(
        "private_key_jwt",
        dpop=True,
        grant_types=("authorization_code", "refresh_token", "client_credentials"),
        scope="openid email offline_access read write",
        resources=(API,),
    )
    asked = {"scope": "openid email offline_access read", "resource": API}
    signed_in = sign_in(party, person, "pushed", **asked)
    header, claims = opened(signed_in["tokens"]["access_token"])
    assert (header["typ"], claims["aud"], claims["scope"]) == ("at+jwt", API, "read")
    assert claims["sub"] == signed_in["claims"]["sub"]
    assert party.do("introspect", token=signed_in["tokens"]["access_token"])["aud"] == API
    party.do("refresh", parameters={"resource": f"{person.issuer}/userinfo"})
    assert party.do("userinfo")["email"] == ADDRESS
    own = party.do("own", parameters={"resource": API, "scope": "write"})
    assert opened(own["access_token"])[1]["sub"] == person.client.client_id
    assert opened(own["access_token"])[1]["cnf"]


def test_signing_out(begun: Begun) -> None:
    party, person = begun("client_secret_basic")
    token = sign_in(party, person, "plain")["tokens"]["id_token"]
    parameters = {
        "id_token_hint": token,
        "post_logout_redirect_uri": BYE,
        "state": "bye",
    }
    url = party.do("goodbye", parameters=parameters)["url"]
    person.get(url.removeprefix(person.issuer))
    assert person.callback == {"state": "bye"}
    person.authorize(prompt="none", redirect_uri=CALLBACK, scope="openid")
    assert person.callback["error"] == "login_required"
