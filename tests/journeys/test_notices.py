"""A notice about each sign-in from a browser that the account was not known in."""

from idp.delivery import outbox
from tests.support.accounts import ADDRESS, make_account
from tests.support.journey import Person
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
    person.press("Se connecter à e-services").two_factors(ADDRESS)
    assert notices(inbox) == []
    person.authorize(prompt="login").two_factors(ADDRESS)
    assert notices(inbox) == [], "and the browser is known from then on"
