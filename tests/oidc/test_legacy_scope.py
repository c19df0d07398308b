"""The scope `legacy`: old identifiers of the sources in the registration, until the day named there."""

from datetime import timedelta

import pytest
import time_machine

from idp import clock
from idp.clients import manage, registry
from idp.clients.registration import Registration
from idp.extensions import db, transaction
from idp.flow import corrections
from idp.legacy import identity as identities
from idp.legacy.identity import LegacyIdentity
from tests.support import portal
from tests.support.accounts import ADDRESS, make_account
from tests.support.journey import ISSUER, Person
from tests.support.people import PASSWORD
from tests.support.statements import counted
from tests.support.strict import BY
from tests.support.tokens import redeem, refresh, userinfo

DAYS = timedelta(days=30)
SCOPE = "openid legacy"


@pytest.fixture
def archive(app):
    """An application that may know old identifiers of the old portal for 30 days."""
    del app
    return portal.register(
        Registration(
            client_name="Archives",
            redirect_uris=("https://archive.example/callback",),
            grant_types=("authorization_code", "refresh_token"),
            scope="openid legacy offline_access",
            legacy_sources=("portail",),
            legacy_until=clock.now().date() + DAYS,
        )
    )


@pytest.fixture
def migrated(person):
    """Jeanne, whom the portal knows."""
    person.authorize().migrate("jeanne", PASSWORD, ADDRESS)
    return person.press("Se connecter à e-services").two_factors(ADDRESS)


@pytest.fixture
def reader(app, inbox, archive, migrated):
    """Jeanne in front of the archive, another day."""
    del migrated
    with time_machine.travel(clock.now() + timedelta(hours=1), tick=True):
        yield (
            Person(app, inbox, archive)
            .authorize(scope=f"{SCOPE} offline_access")
            .two_factors(ADDRESS)
        )


def identifiers(person, token):
    return userinfo(person, token).get_json().get("legacy_identifiers")


def test_what_the_person_was_called_is_told(reader):
    assert identifiers(reader, redeem(reader)["access_token"]) == {"portail": ["jeanne"]}


def test_of_its_own_sources_only(reader):
    account = db.session.query(LegacyIdentity).one().account_id
    with transaction():
        other = identities.meet("annuaire", "7")
        other.identifier = "j.favre"
        identities.claim(other.id, account)
        second = identities.meet("portail", "9")
        second.identifier = "jeanne2"
        identities.claim(second.id, account)
        nameless = identities.meet("portail", "10")
        identities.claim(nameless.id, account)
    assert identifiers(reader, redeem(reader)["access_token"]) == {"portail": ["jeanne", "jeanne2"]}


def test_not_without_the_scope_in_the_request(app, inbox, archive, migrated):
    del migrated
    with time_machine.travel(clock.now() + timedelta(hours=1), tick=True):
        person = Person(app, inbox, archive).authorize(scope="openid").two_factors(ADDRESS)
        assert identifiers(person, redeem(person)["access_token"]) is None


def test_not_for_an_application_that_is_not_registered_for_it(person, migrated):
    del migrated
    person.authorize(scope=SCOPE)
    tokens = redeem(person)
    assert tokens["scope"] == "openid"
    assert identifiers(person, tokens["access_token"]) is None


@pytest.mark.parametrize(("days", "told"), [(0, {"portail": ["jeanne"]}), (1, None)])
def test_not_after_the_last_day_by_a_refresh_token_of_before(reader, days, told):
    tokens = redeem(reader)
    with time_machine.travel(clock.now() + timedelta(days=29), tick=True):
        tokens = refresh(reader, tokens["refresh_token"]).get_json()
    with time_machine.travel(clock.now() + DAYS + timedelta(days=days), tick=True):
        renewed = refresh(reader, tokens["refresh_token"]).get_json()
        assert identifiers(reader, renewed["access_token"]) == told


def test_not_once_the_registration_lost_it(reader):
    token = redeem(reader)["access_token"]
    with transaction():
        manage.update_client(reader.client.client_id, {"scope": "openid offline_access"})
    assert identifiers(reader, token) is None


def test_not_of_an_identity_that_was_given_back(reader):
    token = redeem(reader)["access_token"]
    account = db.session.query(LegacyIdentity).one().account_id
    with transaction():
        identities.claim(identities.meet("portail", "9").id, account)
        corrections.revert(identities.find("portail", "1"), BY)
    assert userinfo(reader, token).status_code == 401, "its tokens died with it"


def test_hostile_letters_stay_text(reader):
    hostile = "<script>\"\u202e'; DROP TABLE"
    with transaction():
        db.session.query(LegacyIdentity).one().identifier = hostile
    assert identifiers(reader, redeem(reader)["access_token"]) == {"portail": [hostile]}


def test_it_takes_one_statement_more(reader):
    token = redeem(reader)["access_token"]
    registry.by_row_id(1)
    with counted() as statements:
        userinfo(reader, token)
    assert len(statements) <= 2, statements


def test_discovery_tells_of_it(client):
    document = client.get("/.well-known/openid-configuration", base_url=ISSUER).get_json()
    assert "legacy" in document["scopes_supported"]
    assert "legacy_identifiers" in document["claims_supported"]


def test_whoever_has_none_has_no_claim(app, inbox, archive):
    make_account("new@example.ch")
    person = Person(app, inbox, archive).authorize(scope=SCOPE).two_factors("new@example.ch")
    assert "legacy_identifiers" not in userinfo(person, redeem(person)["access_token"]).get_json()
