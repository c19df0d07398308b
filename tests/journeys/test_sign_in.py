"""The sign-in page: who gets in, who does not, and what each is told (DESIGN 5)."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import create_engine, update

from idp import clock
from idp.accounts.account import Account, AccountStatus
from idp.accounts.password import PasswordCheck, check_password
from idp.challenges import verify
from idp.extensions import db, transaction
from idp.legacy import identity as identities
from idp.security import throttle
from tests.support.accounts import ADDRESS, make_account
from tests.support.journey import NEW_PASSWORD
from tests.support.people import LOCKED, MUST_CHANGE, PASSWORD
from tests.support.settings import override

WRONG = "Identifiant ou mot de passe incorrect"


@pytest.mark.parametrize(
    ("identifier", "password"),
    [
        ("jeanne", "wrong"),
        ("nobody", PASSWORD),
        (LOCKED, "wrong"),
        (MUST_CHANGE, "wrong"),
        (ADDRESS, "wrong"),
        ("unknown@example.ch", NEW_PASSWORD),
        ("", ""),
        ("jeanne", ""),
        ("JEANNE", PASSWORD),
        ("x" * 300, "y" * 2000),
        ("\x00", "\x00"),
    ],
)
def test_whoever_fails_reads_the_same_text(person, identifier, password):
    make_account()
    person.authorize().sign_in(identifier, password)
    assert (person.step, person.page.status) == ("sign-in", 422)
    assert WRONG in person.page.text
    assert person.page.text.count("incorrect") == 2


def test_what_was_typed_is_kept_but_never_the_password(person):
    person.authorize().sign_in("jeanne", "my secret")
    assert person.page.forms[0].fields["identifier"] == "jeanne"
    assert "my secret" not in person.page.source


def test_a_locked_person_is_told_after_the_right_password_only(person):
    person.authorize().sign_in(LOCKED, PASSWORD)
    assert "bloqué dans l’ancien système" in person.page.text
    person.sign_in(MUST_CHANGE, PASSWORD)
    assert "doit d’abord être changé" in person.page.text


def test_a_frozen_account_is_told_nothing(person):
    make_account()
    with transaction():
        db.session.execute(update(Account).values(status=AccountStatus.FROZEN))
    person.authorize().sign_in(ADDRESS, NEW_PASSWORD)
    assert WRONG in person.page.text


def test_after_five_tries_there_is_a_wait_that_grows_and_ends(person):
    make_account()
    start = clock.now()
    with time_machine.travel(start, tick=False) as now:
        person.authorize()
        for _ in range(5):
            person.sign_in(ADDRESS, "wrong")
            assert person.page.status == 422
        person.sign_in(ADDRESS, NEW_PASSWORD)
        assert person.page.status == 429
        assert "Réessayez dans 1 seconde" in person.page.text
        now.shift(timedelta(seconds=2))
        person.sign_in(ADDRESS, NEW_PASSWORD)
        assert person.step == "second-factor"


def test_an_account_with_a_hundred_wrong_codes_is_told_after_the_right_password(app, person):
    account = make_account()
    with app.app_context():
        for _ in range(100):
            with transaction():
                throttle.reserve(verify.in_a_row(account))
    person.authorize().sign_in(ADDRESS, "wrong")
    assert WRONG in person.page.text
    person.sign_in(ADDRESS, NEW_PASSWORD)
    assert "Trop de codes faux" in person.page.text
    assert person.step == "sign-in"


def test_a_migrated_person_cannot_use_the_old_door(person):
    person.authorize().migrate("jeanne", PASSWORD, ADDRESS)
    person.press("Se connecter à e-services").sign_in("jeanne", PASSWORD)
    assert WRONG in person.page.text
    person.sign_in("jeanne", NEW_PASSWORD)
    assert person.step == "sign-in", "and learns which one is theirs now: security/test_moved.py"


@pytest.fixture
def silent_source(app, tmp_path):
    """The old database is gone for a while."""
    sources = app.extensions["seuil.legacy"]
    source = sources.sources[0]
    engine, source._engine = source._engine, _unreachable(tmp_path)
    sources._looked = sources._looked.replace(year=2000)
    yield
    source._engine.dispose()
    source._engine = engine
    sources._looked = sources._looked.replace(year=2000)
    assert sources.all_available()


def _unreachable(tmp_path):
    return create_engine(f"sqlite:///{tmp_path}/gone/old.db")


@pytest.mark.usefixtures("silent_source")
@pytest.mark.parametrize("identifier", ["jeanne", "nobody", ADDRESS, "unknown@example.ch"])
def test_while_the_old_system_is_silent_everybody_is_told_that_it_may_be_that(person, identifier):
    make_account()
    person.authorize().sign_in(identifier, "wrong")
    assert WRONG in person.page.text
    assert "l’ancien système ne réponde pas" in person.page.text


@pytest.mark.usefixtures("silent_source")
def test_accounts_sign_in_while_the_old_system_is_silent(person):
    make_account()
    person.authorize().two_factors(ADDRESS)
    assert person.callback["code"]


def test_another_spelling_of_the_address_is_the_same_person(person):
    make_account()
    person.authorize().sign_in("  JEANNE@Example.CH ", NEW_PASSWORD)
    assert person.step == "second-factor"


@pytest.fixture
def stored(app):
    """The hash of the one account, as it is now."""
    make_account()

    def look():
        return db.session.query(Account.password_hash).scalar()

    return look


def test_a_sign_in_renews_the_hash_when_the_options_became_stronger(app, person, stored):
    before = stored()
    person.authorize().sign_in(ADDRESS, NEW_PASSWORD)
    assert stored() == before
    with override(app, argon2_time=2):
        person.authorize().sign_in(ADDRESS, "wrong")
        assert stored() == before
        person.authorize().two_factors(ADDRESS)
        assert "t=2" in stored()
        assert check_password(stored(), NEW_PASSWORD) == PasswordCheck(right=True)
    assert person.callback["code"]


@pytest.mark.parametrize(("login", "key"), [(LOCKED, "6"), (MUST_CHANGE, "7")])
def test_the_old_password_of_a_claimed_identity_is_not_even_compared(person, login, key):
    """Otherwise its being locked would be told, as it is told before the claim."""
    person.authorize().sign_in(login, PASSWORD)
    assert WRONG not in person.page.text
    account = make_account()
    with transaction():
        assert identities.claim(identities.meet("portail", key).id, account)
    person.authorize().sign_in(login, PASSWORD)
    assert WRONG in person.page.text
