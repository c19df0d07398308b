"""A stranger who knows a leaked old password cannot prepare a case for its owner to finish."""

import pytest

from idp.accounts.account import Account
from idp.extensions import db
from tests.support.journey import Person
from tests.support.people import PASSWORD

MINE, THEIRS = "moi@example.ch", "eux@example.ch"
MY_PHONE, THEIR_PHONE = "079 123 45 67", "079 765 43 21"


@pytest.fixture
def stranger(person):
    """Has done everything but the last button, with an address and a phone of their own."""
    person.authorize().to_profile("jeanne", PASSWORD, THEIRS, THEIR_PHONE)
    assert person.step == "profile"
    return person


@pytest.fixture
def owner(app, inbox, portal, stranger):
    return Person(app, inbox, portal).authorize().sign_in("jeanne", PASSWORD)


def test_nothing_is_proven_for_the_owner(owner):
    assert owner.step == "email"
    assert owner.get(owner.path.replace("/email", "/profile")).step == "email"


def test_the_owners_own_address_and_phone_win_and_the_strangers_are_gone(owner, stranger):
    owner.give_email(MINE)
    assert owner.step == "phone", "the stranger's number was never proven here"
    owner.press("Recevoir le code", phone=MY_PHONE)
    owner.press("Vérifier le code", code=owner.code("+41791234567"))
    assert THEIRS not in owner.page.text
    owner.finish()
    account = db.session.query(Account).one()
    assert (account.email, account.phone) == (MINE, "+41791234567")

    stranger.finish()
    assert stranger.step == "sign-in"
    assert db.session.query(Account).count() == 1


def test_the_strangers_address_cannot_be_taken_over_unproven(owner):
    """The owner presses on without reading: the code goes to the stranger, the owner gets no further."""
    owner.press("Recevoir le code")
    assert owner.step == "email-code"
    assert THEIRS in owner.page.text, "shown whole, so that the owner sees whose it is"


def test_once_the_owner_has_chosen_the_stranger_must_choose_again(owner, stranger):
    owner.press("Recevoir le code", email=MINE)
    stranger.finish()
    assert stranger.step == "email"
    assert db.session.query(Account).count() == 0


def test_the_mailbox_code_of_one_browser_proves_nothing_in_the_other(owner, stranger, inbox):
    stranger.authorize().sign_in("jeanne", PASSWORD).press("Recevoir le code", email=THEIRS)
    owner.press("Recevoir le code", email=THEIRS)
    theirs = owner.code(THEIRS)
    stranger.get(stranger.path)
    before = stranger.step
    stranger.press("Vérifier le code", code=theirs)
    assert stranger.step == before == "email-code"
