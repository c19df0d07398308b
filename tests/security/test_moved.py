"""An old identifier after the migration: the new password learns the new identifier, and nothing else does."""

import pytest

from idp.extensions import db, transaction
from idp.flow.support import freeze
from idp.legacy import identity as identities
from idp.sessions.models import Authentication
from tests.support.accounts import ADDRESS, make_account
from tests.support.journey import NEW_PASSWORD
from tests.support.people import PASSWORD

TOLD = "Votre identifiant est maintenant j•••@e•••.ch"
ORDINARY = "Identifiant ou mot de passe incorrect"


@pytest.fixture
def row(app):
    """Jeanne's account, which holds her old identity."""
    account = make_account()
    with transaction():
        assert identities.claim(identities.meet("portail", "1").id, account)
    return account


@pytest.mark.usefixtures("row")
def test_the_new_password_is_told_the_new_identifier_masked_and_signs_nobody_in(person):
    person.authorize().sign_in("jeanne", NEW_PASSWORD)
    assert (person.step, person.page.status) == ("sign-in", 422)
    assert TOLD in person.page.text
    assert ADDRESS not in person.page.source
    assert db.session.query(Authentication).count() == 0
    person.two_factors(ADDRESS)
    assert person.callback["code"]


@pytest.mark.usefixtures("row")
@pytest.mark.parametrize(
    ("identifier", "password"),
    [("jeanne", PASSWORD), ("jeanne", "wrong"), ("jeanne", ""), ("paul", NEW_PASSWORD)],
)
def test_everything_else_gets_the_ordinary_answer(person, identifier, password):
    person.authorize().sign_in(identifier, password)
    assert person.page.status == 422
    assert ORDINARY in person.page.text
    assert "maintenant" not in person.page.text


def test_nor_is_a_frozen_account_told(person, row):
    with transaction():
        assert freeze(row, actor="test", why="test")
    person.authorize().sign_in("jeanne", NEW_PASSWORD)
    assert ORDINARY in person.page.text


@pytest.mark.usefixtures("row")
def test_an_account_is_guessed_at_five_times_under_its_old_identifiers(person, row):
    """However many it holds; the right password is not looked at then, and the answer is as before."""
    with transaction():
        assert identities.claim(identities.meet("portail", "2").id, row)
    person.authorize()
    for identifier in ("jeanne", "paul", "jeanne", "paul", "jeanne"):
        person.sign_in(identifier, "wrong")
    assert person.sign_in("paul", NEW_PASSWORD).page.status == 422
    assert ORDINARY in person.page.text


@pytest.mark.usefixtures("row")
def test_tries_at_an_old_identifier_do_not_tell_which_address_goes_with_it(person):
    """Counted together, the next try at the right address would be refused, and at no other."""
    person.authorize()
    for _ in range(5):
        person.sign_in("jeanne", "wrong")
    assert person.sign_in(ADDRESS, "wrong").page.status == 422


@pytest.mark.usefixtures("row")
def test_whoever_knows_it_gets_the_tries_back(person):
    person.authorize()
    for _ in range(3):
        for _wrong in range(4):
            person.sign_in("jeanne", "wrong")
        person.sign_in("jeanne", NEW_PASSWORD)
        assert TOLD in person.page.text
