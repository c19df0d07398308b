"""Pairwise subjects (OIDC Core 8): one `sub` for each sector, the same at every endpoint."""

import json
from dataclasses import replace
from datetime import date

import pytest

from idp.clients import manage, sectors
from idp.clients.registration import Registration
from idp.clients.rules import InvalidRegistrationError, check
from idp.extensions import transaction
from idp.migration import legacy_map
from tests.support.accounts import ADDRESS
from tests.support.journey import ISSUER, Person
from tests.support.portal import PORTAL, register
from tests.support.settings import override
from tests.support.signing import publishing
from tests.support.tokens import claims_of, redeem, userinfo

PAIRWISE = replace(PORTAL, subject_type="pairwise")


@pytest.fixture
def at(app, inbox, account):
    """Signs the same person in at a client of this registration, in one browser; person and tokens."""
    browser = app.test_client()

    def sign_in(registration):
        person = Person(app, inbox, register(registration))
        person.browser = browser
        browser.environ_base["HTTP_REFERER"] = f"{ISSUER}/"
        person.authorize()
        if person.step == "sign-in":
            person.two_factors(ADDRESS)
        return person, redeem(person)

    return sign_in


def sub(tokens):
    return claims_of(tokens)["sub"]


def introspected(person, token):
    answer = person.app.test_client().post(
        "/introspect",
        data={"token": token},
        auth=(person.client.client_id, person.client.secret),
        base_url=ISSUER,
    )
    return answer.get_json()["sub"]


def test_two_sectors_know_a_person_by_two_names_and_one_sector_by_one(at):
    _, public = at(PORTAL)
    _, first = at(PAIRWISE)
    _, again = at(replace(PAIRWISE, redirect_uris=("https://portal.example/other",)))
    _, elsewhere = at(replace(PAIRWISE, redirect_uris=("https://archive.example/cb",)))
    assert sub(first) == sub(again)
    assert len({sub(public), sub(first), sub(elsewhere)}) == 3
    assert len(sub(first)) == 43


def test_it_is_the_same_at_every_endpoint(at):
    person, tokens = at(PAIRWISE)
    assert userinfo(person, tokens["access_token"]).get_json()["sub"] == sub(tokens)
    assert introspected(person, tokens["access_token"]) == sub(tokens)


def test_hints_and_wishes_speak_of_it(at, another):
    person, tokens = at(PAIRWISE)
    assert person.authorize(id_token_hint=tokens["id_token"], prompt="none").callback["code"]
    wish = json.dumps({"id_token": {"sub": {"value": sub(tokens)}}})
    assert person.authorize(claims=wish, prompt="none").callback["code"]
    other, public = at(PORTAL)
    own = json.dumps({"id_token": {"sub": {"value": sub(public)}}})
    assert other.authorize(claims=own, prompt="none").callback["code"]
    assert person.authorize(claims=own, prompt="none").callback["error"] == "login_required"


def test_a_hint_signs_out_at_once(at):
    person, tokens = at(PAIRWISE)
    person.get(f"/logout?id_token_hint={tokens['id_token']}")
    assert person.step == "logout-done" or "déconnecté" in person.page.text.lower()
    assert person.authorize(prompt="none").callback["error"] == "login_required"


def test_the_map_of_old_identifiers_speaks_of_it(person):
    person.authorize().migrate("jeanne", "Edelweiss-1291", "jeanne@example.ch")
    person.press("Se connecter à e-services").two_factors("jeanne@example.ch")
    with transaction():
        changes = {"subject_type": "pairwise", "legacy_sources": ("portail",)}
        changes["legacy_until"] = date(2099, 1, 1)
        manage.update_client(person.client.client_id, changes)
    person.authorize()
    mine = sub(redeem(person))
    registration = manage.get(person.client.client_id).registration
    (entry,) = legacy_map.entries(registration)
    assert entry.sub == mine


def test_several_hosts_need_a_sector_that_lists_them():
    uris = ("https://a.example/cb", "https://b.example/cb")
    with pytest.raises(InvalidRegistrationError) as refused:
        check(Registration("Two", uris, subject_type="pairwise"))
    assert refused.value.field == "sector_identifier_uri"
    sector = "https://sector.example/uris.json"
    check(Registration("Two", uris, subject_type="pairwise", sector_identifier_uri=sector))


@pytest.fixture
def server(near):
    """An address of a sector, which may be asked."""
    with publishing() as served:
        yield served


@pytest.mark.parametrize(
    ("status", "body", "good"),
    [
        (200, ["https://portal.example/callback", "https://x.example/"], True),
        (200, ["https://portal.example/"], False),
        (200, [], False),
        (200, {"keys": []}, False),
        (404, ["https://portal.example/callback"], False),
    ],
)
def test_a_sector_must_list_every_address(server, status, body, good):
    server.status, server.content = status, body
    new = replace(PAIRWISE, sector_identifier_uri=server.url)
    if good:
        sectors.check(new)
        return
    with pytest.raises(InvalidRegistrationError) as refused:
        sectors.check(new)
    assert refused.value.field == "sector_identifier_uri"


def test_a_sector_in_the_neighbourhood_is_not_asked(server, app):
    new = replace(PAIRWISE, sector_identifier_uri=server.url)
    with override(app, client_networks=()), pytest.raises(InvalidRegistrationError):
        sectors.check(new)
    assert server.asked == 0


def test_the_loopback_interface_is_nobodys_sector(app):
    """All programs of all computers would know a person by one name."""
    native = replace(
        PORTAL,
        redirect_uris=("http://127.0.0.1/cb",),
        post_logout_redirect_uris=(),
        application_type="native",
        subject_type="pairwise",
    )
    with pytest.raises(InvalidRegistrationError, match="host of its own"):
        register(native)
