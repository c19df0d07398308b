"""Whoever proves an address that is an account's already: another one, or «C’est aussi mon compte»."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import update

from idp import clock
from idp.accounts import account as accounts
from idp.accounts.account import Account, AccountStatus
from idp.audit.models import AuditEvent
from idp.challenges import verify
from idp.delivery import outbox
from idp.extensions import db, transaction
from idp.flow import joining
from idp.flow.interaction import Interaction
from idp.legacy import identity as identities
from idp.migration import cases
from idp.migration.models import MigrationCase
from idp.security import throttle
from idp.sessions.models import Authentication
from tests.support.accounts import ADDRESS, make_account
from tests.support.journey import NEW_PASSWORD
from tests.support.people import PASSWORD
from tests.support.settings import override

ALSO_MINE = "C’est aussi mon compte"
PHONE = "+41791234567"


@pytest.fixture
def account(app):
    """Jeanne Favre has an account already, from elsewhere."""
    del app
    return make_account(phone=PHONE)


def to_conflict(person, login="jeanne"):
    person.authorize().sign_in(login, PASSWORD).press("Recevoir le code", email=ADDRESS)
    return person.press("Vérifier le code", code=person.code(ADDRESS))


def claims():
    db.session.rollback()
    return {one.key: one.account_id for one in db.session.query(identities.LegacyIdentity)}


def offered(person):
    return any(ALSO_MINE in form.buttons for form in person.page.forms)


def test_both_factors_of_the_account_give_it_the_old_identity_and_sign_in(person, account):
    to_conflict(person).press(ALSO_MINE)
    assert person.step == "join"
    person.press("Continuer", password=NEW_PASSWORD)
    assert person.step == "second-factor"
    person.press("Vérifier le code", code=person.code(PHONE))
    assert person.callback["code"]
    assert claims() == {"1": account}
    assert db.session.query(Interaction).one().legacy_password_hash is None
    assert db.session.query(MigrationCase).one().completed_at is not None
    assert db.session.query(Account).count() == 1


def test_the_old_identifier_is_worth_nothing_then(person, account):
    to_conflict(person).press(ALSO_MINE).press("Continuer", password=NEW_PASSWORD)
    person.press("Vérifier le code", code=person.code(PHONE))
    person.authorize(prompt="login").sign_in("jeanne", PASSWORD)
    assert "Identifiant ou mot de passe incorrect" in person.page.text
    assert claims() == {"1": account}


def test_one_account_can_hold_several(another, account):
    for login, name in (("jeanne", "Jeanne"), ("paul", "Paul")):
        with transaction():
            db.session.execute(update(Account).values(given_name=name))
        with time_machine.travel(clock.now() + timedelta(hours=len(claims())), tick=True):
            person = to_conflict(another(), login).press(ALSO_MINE)
            person.press("Continuer", password=NEW_PASSWORD)
            person.press("Vérifier le code", code=person.code(PHONE))
            assert person.callback["code"]
    assert claims() == {"1": account, "2": account}


def test_old_and_new_address_are_told(person, inbox, account):
    to_conflict(person).press(ALSO_MINE).press("Continuer", password=NEW_PASSWORD)
    person.press("Vérifier le code", code=person.code(PHONE))
    outbox.deliver_due("test")
    assert any("rattaché" in one.text and one.to == ADDRESS for one in inbox.messages)
    told = db.session.query(AuditEvent).filter_by(event="case_joined").one()
    assert told.account == accounts.by_id(account).sub


@pytest.mark.parametrize(
    "change",
    [
        {"family_name": "Rochat"},
        {"birthdate": None},
        {"given_name": ""},
        {"status": AccountStatus.FROZEN},
    ],
    ids=str,
)
def test_it_is_offered_only_where_name_and_birth_date_agree(person, account, change):
    with transaction():
        db.session.execute(update(Account).where(Account.id == account).values(**change))
    to_conflict(person)
    assert "est déjà l’identifiant d’un compte" in person.page.text
    assert not offered(person)
    assert db.session.query(MigrationCase).one().reference in person.page.text
    path = person.path.replace("/email", "/join/begin")
    assert person.post(path).status_code == 303
    assert person.get(person.path).step == "email"


def test_spelling_does_not_matter(person, account):
    with transaction():
        values = {"given_name": "JEANNE ", "family_name": "Fàvre"}
        db.session.execute(update(Account).where(Account.id == account).values(**values))
    assert offered(to_conflict(person))


@pytest.mark.usefixtures("account")
def test_it_is_never_offered_where_the_deployment_refuses(app, person, monkeypatch):
    settings = app.extensions["seuil.settings"]
    monkeypatch.setitem(
        app.extensions,
        "seuil.settings",
        settings.model_copy(update={"migration_conflicts": "refuse"}),
    )
    assert not offered(to_conflict(person))


@pytest.mark.usefixtures("account")
def test_another_address_does_as_well(person):
    to_conflict(person).press(ALSO_MINE).press("Donner une autre adresse email")
    assert person.step == "email"
    person.give_email("jeanne.favre@example.ch")
    assert person.step == "phone"


@pytest.mark.usefixtures("account")
def test_the_page_names_nobody(person):
    to_conflict(person).press(ALSO_MINE)
    assert ADDRESS in person.page.text, "what was typed"
    for word in ("Jeanne", "Favre", "1950", "+41", "•• 67"):
        assert word not in person.page.text


@pytest.mark.usefixtures("account")
def test_a_wrong_password_claims_nothing_and_loses_nothing(person):
    to_conflict(person).press(ALSO_MINE).press("Continuer", password="wrong")
    assert (person.step, person.page.status) == ("join", 422)
    assert claims() == {"1": None}


@pytest.mark.usefixtures("account")
def test_the_old_password_does_not_open_the_account(person):
    to_conflict(person).press(ALSO_MINE).press("Continuer", password=PASSWORD)
    assert person.page.status == 422


@pytest.mark.usefixtures("account")
def test_tries_are_those_of_the_account(person, another):
    """They count together with those of the sign-in page of the same network."""
    with time_machine.travel(clock.now(), tick=False):
        stranger = another().authorize()
        for _ in range(5):
            stranger.sign_in(ADDRESS, "wrong")
        to_conflict(person).press(ALSO_MINE)
        for _ in range(2):
            person.press("Continuer", password=NEW_PASSWORD)
    assert person.page.status == 429
    failed = db.session.query(AuditEvent).filter_by(event="sign_in_failed")
    assert [one.details["reason"] for one in failed].count("throttled") == 1


@pytest.mark.usefixtures("account")
def test_the_password_alone_claims_nothing(person):
    to_conflict(person).press(ALSO_MINE).press("Continuer", password=NEW_PASSWORD)
    person.press("Vérifier le code", code="000000")
    assert claims() == {"1": None}
    assert db.session.query(Authentication).count() == 0


def test_starting_over_forgets_the_wish(person):
    """Whoever signs in here then joins nothing."""
    make_account()
    to_conflict(person).press(ALSO_MINE).press("Continuer", password=NEW_PASSWORD)
    with time_machine.travel(clock.now() + timedelta(minutes=1), tick=True):
        person.press("Ce n’est pas vous ? Changer d’identifiant").two_factors(ADDRESS)
    assert person.callback["code"]
    assert claims() == {"1": None}


@pytest.mark.usefixtures("account")
def test_a_right_password_forgets_the_wrong_ones(person):
    to_conflict(person).press(ALSO_MINE)
    for _ in range(4):
        person.press("Continuer", password="wrong")
    person.press("Continuer", password=NEW_PASSWORD)
    person.press("Ce n’est pas vous ? Changer d’identifiant")
    for _ in range(4):
        person.sign_in(ADDRESS, "wrong")
    assert person.page.status == 422


@pytest.mark.usefixtures("account")
def test_a_wrong_password_is_in_the_audit_under_the_case(person):
    to_conflict(person).press(ALSO_MINE).press("Continuer", password="wrong")
    event = db.session.query(AuditEvent).filter_by(event="sign_in_failed").one()
    reference = db.session.query(MigrationCase).one().reference
    assert event.details == {"reason": "wrong", "why": "joining", "reference": reference}


def test_strangers_do_not_slow_a_browser_that_knows_the_account(person, another):
    make_account()
    person.authorize().two_factors(ADDRESS)
    stranger = another().authorize()
    for _ in range(6):
        stranger.sign_in(ADDRESS, "wrong")
    person.authorize(prompt="login").sign_in("jeanne", PASSWORD)
    person.press("Recevoir le code", email=ADDRESS)
    person.press("Vérifier le code", code=person.code(ADDRESS)).press(ALSO_MINE)
    assert person.press("Continuer", password=NEW_PASSWORD).step == "second-factor"


def test_after_too_many_wrong_codes_only_a_new_password_helps(app, person, account):
    with override(app, code_tries_in_a_row=1):
        with transaction():
            throttle.reserve(verify.in_a_row(account))
        to_conflict(person).press(ALSO_MINE).press("Continuer", password=NEW_PASSWORD)
    assert (person.step, person.page.status) == ("join", 422)
    assert "Mot de passe oublié" in person.page.text


@pytest.mark.parametrize(
    "change",
    [
        lambda: db.session.execute(update(Account).values(family_name="Rochat")),
        lambda: db.session.execute(
            update(Interaction).where(Interaction.holder_id.is_not(None)).values(holder_id=2)
        ),
    ],
    ids=["another name", "another holder"],
)
@pytest.mark.usefixtures("account")
def test_what_changed_since_the_password_is_looked_at_again(person, change):
    make_account("other@example.ch")
    to_conflict(person).press(ALSO_MINE).press("Continuer", password=NEW_PASSWORD)
    with transaction():
        change()
    person.press("Vérifier le code", code=person.code(PHONE))
    assert person.step == "email", "nobody is led to believe that it worked"
    assert "est déjà l’identifiant d’un compte" in person.page.text
    assert claims() == {"1": None}
    assert db.session.query(Authentication).count() == 0


@pytest.mark.usefixtures("account")
def test_what_can_be_joined_no_longer_is_not_called_a_wrong_password(person):
    to_conflict(person).press(ALSO_MINE)
    with transaction():
        db.session.execute(update(Account).values(family_name="Rochat"))
    person.press("Continuer", password=NEW_PASSWORD)
    assert person.step == "email"
    assert "est déjà l’identifiant d’un compte" in person.page.text
    assert not offered(person)


@pytest.mark.usefixtures("account")
def test_a_password_that_changes_while_it_is_checked_is_worth_nothing(person, monkeypatch):
    compare = joining.passwords.check_password

    def slowly(stored, typed):
        with transaction():
            db.session.execute(update(Account).values(epoch=Account.epoch + 1))
        return compare(stored, typed)

    to_conflict(person).press(ALSO_MINE)
    monkeypatch.setattr(joining.passwords, "check_password", slowly)
    person.press("Continuer", password=NEW_PASSWORD)
    assert person.step == "join"


@pytest.mark.usefixtures("account")
def test_a_case_that_is_disputed_at_the_last_moment_is_not_joined(person):
    to_conflict(person).press(ALSO_MINE).press("Continuer", password=NEW_PASSWORD)
    with transaction():
        cases.dispute(db.session.query(MigrationCase).one().id)
    person.press("Vérifier le code", code=person.code(PHONE))
    assert person.step == "sign-in"
    assert "a été arrêté" in person.page.text
    assert claims() == {"1": None}
