"""A migration is told at once to the address that the old system had, and to the new one."""

import re
from datetime import timedelta

import pytest

from idp import clock
from idp.accounts import account as accounts
from idp.delivery import outbox
from idp.extensions import db, settings
from idp.migration.models import MigrationCase
from tests.support.accounts import ADDRESS
from tests.support.journey import NEW_PASSWORD, Person
from tests.support.people import PASSWORD
from tests.support.strict import asking_for

OLD = "jeanne@old.example.ch"


def told(inbox):
    outbox.deliver_due("test")
    return {one.to: one.text for one in inbox.messages if "/alert/" in one.text}


def account():
    db.session.rollback()
    return accounts.by_email_key(ADDRESS)


@pytest.fixture
def old(app, tmp_path):
    """An old system that knows an address of Jeanne's, and asks for the password only."""
    with asking_for(app, tmp_path, "password"):
        yield


@pytest.mark.usefixtures("old")
def test_both_are_told_and_the_link_blocks_the_account_and_ends_its_sessions(
    app, inbox, portal, person
):
    person.authorize().migrate("jeanne", PASSWORD, ADDRESS)
    person.press("Se connecter à e-services").two_factors(ADDRESS)
    assert set(told(inbox)) == {ADDRESS, OLD}
    assert ADDRESS not in told(inbox)[OLD], "the old mailbox may be another person's"
    owner = Person(app, inbox, portal).get(re.search(r"/alert/[\w-]{43}", told(inbox)[OLD])[0])
    assert "est devenu un nouveau" in owner.page.text
    assert account().active, "looking changes nothing"
    owner.press("Ce n’est pas moi : bloquer le compte")
    assert not account().active
    assert person.authorize(prompt="none").callback["error"] == "login_required"


@pytest.mark.usefixtures("old")
def test_contacts_are_held_for_whoever_came_with_the_old_password_alone(person):
    person.authorize().migrate("jeanne", PASSWORD, ADDRESS)
    held = account().contacts_held_until - clock.now()
    assert timedelta(hours=71) < held <= settings.contacts_held
    person.press("Se connecter à e-services").two_factors(ADDRESS)
    person.get("/account/email").press("Recevoir le code", email="thief@example.ch")
    assert person.page.status == 422
    assert account().email == ADDRESS


def test_whoever_also_read_the_old_mailbox_can_change_contacts(app, tmp_path, person):
    with asking_for(app, tmp_path, "contact"):
        person.authorize().sign_in("jeanne", PASSWORD)
        person.press("Vérifier le code", code=person.code(OLD))
        person.give_email(ADDRESS).press("Je ne souhaite pas donner mon numéro de téléphone")
        person.finish()
    assert account().contacts_held_until is None


@pytest.mark.usefixtures("old")
def test_the_old_address_is_kept_no_longer_than_the_case_is_open(person):
    person.authorize().to_profile("jeanne", PASSWORD, ADDRESS)
    assert OLD in str(db.session.query(MigrationCase).one().profile)
    person.press("Mettre à jour le compte", password=NEW_PASSWORD, confirmation=NEW_PASSWORD)
    db.session.rollback()
    assert db.session.query(MigrationCase).one().profile == {}


@pytest.mark.usefixtures("old")
def test_the_same_address_is_told_once(inbox, person):
    person.authorize().migrate("jeanne", PASSWORD, OLD.upper())
    outbox.deliver_due("test")
    assert len([one for one in inbox.messages if "/alert/" in one.text]) == 1
