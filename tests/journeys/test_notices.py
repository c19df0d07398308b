"""A notice about each sign-in from a browser that the account was not known in."""

from datetime import timedelta

import time_machine

from idp import clock
from idp.delivery import outbox
from tests.support.accounts import ADDRESS, make_account
from tests.support.journey import NEW_PASSWORD, Person
from tests.support.people import PASSWORD


def notices(inbox):
    outbox.deliver_due("w")
    return [message.to for message in inbox.messages if "/alert/" in message.text]


def test_a_new_browser_is_told_once_and_a_known_one_never(app, inbox, portal, person):
    make_account()
    person.authorize().two_factors(ADDRESS)
    assert notices(inbox) == [ADDRESS]
    person.authorize(prompt="login").two_factors(ADDRESS)
    assert notices(inbox) == [ADDRESS]
    Person(app, inbox, portal).authorize().two_factors(ADDRESS)
    assert notices(inbox) == [ADDRESS, ADDRESS]


def test_whoever_has_just_migrated_here_is_not_told_what_they_did(inbox, person):
    person.authorize().migrate("jeanne", PASSWORD, ADDRESS)
    told = notices(inbox)
    assert told.count(ADDRESS) == 1, "of the migration"
    person.press("Se connecter à e-services").two_factors(ADDRESS)
    assert notices(inbox) == told
    person.authorize(prompt="login").two_factors(ADDRESS)
    assert notices(inbox) == told, "and the browser is known from then on"


def test_a_browser_that_changed_the_password_stays_known(inbox, person):
    """Its next sign-in is told to nobody: people would take it for a thief's, right after their own change."""
    make_account()
    person.get("/account").two_factors(ADDRESS)
    person.get("/account/password")
    chosen = "quatre gros hiboux gris"
    fields = {"present": NEW_PASSWORD, "password": chosen, "confirmation": chosen}
    person.press("Enregistrer le mot de passe", **fields)
    before = len(notices(inbox))
    with time_machine.travel(clock.now() + timedelta(minutes=1), tick=True):
        person.two_factors(ADDRESS, chosen)
        assert person.step == "account"
        assert len(notices(inbox)) == before


def test_a_browser_that_changed_the_address_stays_known(inbox, person):
    make_account()
    person.get("/account").two_factors(ADDRESS)
    person.get("/account/email").press("Recevoir le code", email="new@example.ch")
    person.press("Vérifier le code", code=person.code("new@example.ch"))
    before = len(notices(inbox))
    with time_machine.travel(clock.now() + timedelta(minutes=1), tick=True):
        person.two_factors("new@example.ch")
        assert person.step == "account"
        assert len(notices(inbox)) == before
