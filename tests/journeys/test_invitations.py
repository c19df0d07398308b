"""What an invitation opens, and what old systems ask for besides the password."""

import pytest

from idp.accounts import account as accounts
from idp.accounts.account import Account
from idp.audit.models import AuditEvent
from idp.delivery import outbox
from idp.extensions import db
from idp.legacy import identity as identities
from tests.support.accounts import ADDRESS, make_account
from tests.support.journey import NEW_PASSWORD
from tests.support.people import PASSWORD
from tests.support.recovery import CHOSEN, FORGOTTEN, SAVE
from tests.support.strict import (
    asking_for,
    enter_invitation,
    invite,
    invite_back,
    invite_newcomer,
)

NO_PHONE = "Je ne souhaite pas donner mon numéro de téléphone"


@pytest.fixture
def contacts(app, tmp_path):
    """An old system with addresses on record that asks for the password alone."""
    with asking_for(app, tmp_path, "password"):
        yield


def mails(inbox):
    outbox.deliver_due("test")
    return [(mail.to, mail.text) for mail in inbox.messages]


@pytest.mark.usefixtures("contacts")
def test_an_invitation_stands_for_a_forgotten_old_password(person, inbox):
    code = invite("jeanne")
    assert ("jeanne@old.example.ch" in {to for to, _text in mails(inbox)}) is True
    person.authorize()
    enter_invitation(person, code.lower().replace("-", " "))
    assert person.step == "email"
    assert "Étape 1 sur 5" in person.page.text
    inbox.clear()
    assert [to for to, text in mails(inbox) if "vient d’être utilisé" in text] == [
        "jeanne@old.example.ch"
    ]
    person.give_email(ADDRESS).press(NO_PHONE)
    assert "Jeanne Favre" in person.page.text
    person.finish().press("Se connecter à e-services").two_factors(ADDRESS)
    assert "code" in person.callback
    account = accounts.by_email_key(ADDRESS)
    assert [one.source for one in identities.held_by(account.id)] == ["portail"]


def test_a_newcomer_walks_the_same_pages_and_tells_who_they_are(person):
    code = invite_newcomer("nora@example.ch")
    enter_invitation(person.authorize(), code)
    correct = "Corriger l’adresse email"
    assert person.step == "email"
    assert person.page.forms[0].fields["email"] == "nora@example.ch"
    person.press("Recevoir le code", email="else@example.ch")
    assert (person.step, person.page.status) == ("email", 422)
    person.give_email("Nora@example.ch")
    assert correct not in person.page.text
    person.press(NO_PHONE)
    assert person.step == "profile"
    assert correct not in person.page.text
    said = {"given_name": " Nora ", "family_name": "", "birthdate": "31.2.1990"}
    both = {"password": NEW_PASSWORD, "confirmation": NEW_PASSWORD}
    person.press("Mettre à jour le compte", **said, **both)
    assert person.page.status == 422
    assert "Donnez votre nom." in person.page.text
    assert "Donnez votre date de naissance" in person.page.text
    said |= {"family_name": "de la Tour", "birthdate": "1.2.1990"}
    person.press("Mettre à jour le compte", **said, **both)
    assert person.step == "done"
    person.press("Se connecter à e-services").two_factors("Nora@example.ch")
    assert "code" in person.callback
    account = accounts.by_email_key("nora@example.ch")
    assert (account.given_name, account.family_name) == ("Nora", "de la Tour")
    assert account.birthdate.isoformat() == "1990-02-01"


def test_whoever_migrates_cannot_change_what_the_old_system_says_of_them(person):
    person.authorize().to_profile("jeanne", PASSWORD, ADDRESS)
    path = person.path
    answer = person.post(
        path,
        given_name="Emperor",
        family_name="Norton",
        birthdate="1.2.1990",
        password=NEW_PASSWORD,
        confirmation=NEW_PASSWORD,
    )
    assert answer.status_code == 303
    assert accounts.by_email_key(ADDRESS).given_name == "Jeanne"


def test_the_contact_on_record_answers_before_the_case_is_open(app, person, inbox, tmp_path):
    with asking_for(app, tmp_path, "contact"):
        person.authorize().sign_in("jeanne", PASSWORD)
        assert person.step == "legacy-contact"
        assert "jeanne@old.example.ch" not in person.page.source
        person.press("Vérifier le code", code="000000")
        assert person.page.status == 422
        person.press("Vérifier le code", code=person.code("jeanne@old.example.ch"))
        assert person.step == "email"
        person.give_email(ADDRESS)
        assert person.step == "phone"


def test_where_only_a_number_is_on_record_the_code_goes_there(app, person, inbox, tmp_path):
    with asking_for(app, tmp_path, "contact"):
        person.authorize().sign_in("luc", PASSWORD)
        assert "par SMS" in person.page.text
        person.press("Vérifier le code", code=person.code("+41791234567"))
        assert person.step == "email"


def test_without_a_contact_on_record_support_helps_by_the_reference(app, person, tmp_path):
    with asking_for(app, tmp_path, "contact"):
        person.authorize().sign_in("rosa", PASSWORD)
        assert (person.step, person.page.status) == ("sign-in", 422)
        reference = db.session.query(AuditEvent).filter_by(event="case_opened").one().details
        assert reference["reference"] in person.page.text
        enter_invitation(person, invite("rosa"))
        assert person.step == "email"


def test_an_invitation_is_asked_for_after_the_right_password(app, person, tmp_path):
    with asking_for(app, tmp_path, "invite"):
        person.authorize().sign_in("jeanne", "wrong")
        assert person.step == "sign-in"
        person.sign_in("jeanne", PASSWORD)
        assert person.step == "invitation"
        other, own = invite("paul"), invite("jeanne")
        person.press("Continuer", invitation=other)
        assert (person.step, person.page.status) == ("invitation", 422)
        person.press("Continuer", invitation=own)
        assert person.step == "email"
        # The old password is still known for what the new one must not be.
        person.give_email(ADDRESS).press(NO_PHONE)
        person.press("Mettre à jour le compte", password=PASSWORD, confirmation=PASSWORD)
        assert (person.step, person.page.status) == ("profile", 422)


@pytest.mark.usefixtures("contacts")
def test_a_forgotten_old_password_takes_a_code_to_the_address_on_record(person, inbox):
    person.authorize().press(FORGOTTEN).press("Recevoir le code", email="jeanne")
    assert person.step == "recovery-code"
    assert "old.example.ch" not in person.page.source
    person.press("Vérifier le code", code=person.code("jeanne@old.example.ch"))
    assert person.step == "email"
    person.give_email(ADDRESS).press(NO_PHONE).finish()
    assert person.step == "done"


@pytest.mark.parametrize("lost", [False, True])
def test_whoever_lost_the_mailbox_comes_back_with_another(person, inbox, lost):
    row = make_account(ADDRESS, phone="+41791234567")
    code = invite_back(ADDRESS, without_phone=lost)
    told = mails(inbox)
    assert {to for to, _text in told} == {ADDRESS, "+41791234567"}
    enter_invitation(person.authorize(), code)
    assert person.step == "new-email"
    assert ADDRESS not in person.page.source
    person.press("Recevoir le code", email="nouvelle@example.ch")
    person.press("Vérifier le code", code=person.code("nouvelle@example.ch"))
    if not lost:
        assert person.step == "recovery-phone-code"
        person.press("Vérifier le code", code=person.code("+41791234567"))
    assert person.step == "recovery-password"
    assert ADDRESS not in person.page.source
    inbox.clear()
    person.press(SAVE, password=CHOSEN, confirmation=CHOSEN)
    assert person.step == "sign-in"
    assert {to for to, _text in mails(inbox)} == {
        *(ADDRESS, "nouvelle@example.ch"),
        "+41791234567",
    }
    db.session.expire_all()
    account = db.session.get(Account, row)
    assert account.email == "nouvelle@example.ch"
    assert account.phone == (None if lost else "+41791234567")
    assert account.contacts_held
    person.sign_in("nouvelle@example.ch", CHOSEN)
    to = "nouvelle@example.ch" if lost else "+41791234567"
    person.press("Vérifier le code", code=person.code(to))
    assert "code" in person.callback


def test_a_new_mailbox_that_is_somebody_elses_identifier_is_told_after_its_code(person):
    make_account(ADDRESS)
    make_account("paul@example.ch")
    enter_invitation(person.authorize(), invite_back(ADDRESS))
    person.press("Recevoir le code", email="paul@example.ch")
    person.press("Vérifier le code", code=person.code("paul@example.ch"))
    assert person.step == "new-email"
    assert "déjà l’identifiant" in person.page.text
