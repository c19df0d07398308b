"""The contact on record learns at the e-mail step that somebody migrates, and can stop it."""

import re
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import update

from idp import clock
from idp.accounts import account as accounts
from idp.accounts.phones import mask_phone
from idp.audit.models import AuditEvent
from idp.delivery import outbox
from idp.delivery.models import OutboxMessage
from idp.extensions import db, transaction
from idp.flow import corrections, support
from idp.migration import cases
from idp.migration.models import MigrationCase
from tests.support.accounts import ADDRESS
from tests.support.journey import Person
from tests.support.people import PASSWORD
from tests.support.strict import BY, asking_for, enter_invitation, invite

OLD, THIEF = "jeanne@old.example.ch", "thief@example.com"
STOP = "Ce n’est pas moi : arrêter"
NO_PHONE = "Je ne souhaite pas donner mon numéro de téléphone"


@pytest.fixture
def old(app, tmp_path):
    """An old system that knows an address of Jeanne's, and asks for the password only."""
    with asking_for(app, tmp_path, "password"):
        yield


def told(inbox, to=OLD):
    outbox.deliver_due("test")
    return [one.text for one in inbox.messages if one.to == to and "/alert/" in one.text]


def link(text):
    return re.search(r"/alert/[\w-]{43}", text)[0]


def case():
    db.session.rollback()
    return db.session.query(MigrationCase).one()


@pytest.fixture
def thief(old, person):
    """Somebody with Jeanne's old password, waiting for a code at an address of their own."""
    del old
    return person.authorize().sign_in("jeanne", PASSWORD).press("Recevoir le code", email=THIEF)


@pytest.fixture
def owner(app, inbox, portal):
    return Person(app, inbox, portal)


def stop(inbox, owner):
    return owner.get(link(told(inbox)[0])).press(STOP)


def test_the_old_address_is_told_with_the_new_one_masked(inbox, thief):
    (text,) = told(inbox)
    assert "t•••@e•••.com" in text
    assert THIEF not in text
    assert thief.step == "email-code"


def test_looking_changes_nothing(inbox, thief, owner):
    owner.get(link(told(inbox)[0]))
    assert "Quelqu’un qui connaît l’ancien mot de passe" in owner.page.text
    thief.press("Vérifier le code", code=thief.code(THIEF))
    assert thief.step == "email-verified"


def test_the_link_stops_whoever_is_under_way(inbox, thief, owner):
    code = thief.code(THIEF)
    stop(inbox, owner)
    assert owner.step == "alert-stopped"
    thief.press("Vérifier le code", code=code)
    assert thief.step == "sign-in"
    assert "a été arrêté" in thief.page.text


def test_the_link_stops_also_the_last_page(inbox, thief, owner):
    thief.press("Vérifier le code", code=thief.code(THIEF)).press("Continuer").press(NO_PHONE)
    stop(inbox, owner)
    thief.finish()
    assert thief.step == "sign-in"
    assert accounts.by_email_key(THIEF) is None


def test_the_old_password_then_leads_to_support_only(inbox, thief, owner):
    stop(inbox, owner)
    owner.authorize().sign_in("jeanne", PASSWORD)
    assert (owner.step, owner.page.status) == ("sign-in", 422)
    assert set(re.findall(r"\b\w{4}-\w{4}\b", owner.page.text)) == {case().reference}, (
        "no other number"
    )
    assert "Il y a une chose à corriger" not in owner.page.text
    assert case().email == THIEF, "support sees what was chosen"


def test_whoever_guesses_wrong_learns_nothing_of_it(inbox, thief, owner):
    stop(inbox, owner)
    owner.authorize().sign_in("jeanne", "wrong")
    assert "Identifiant ou mot de passe incorrect" in owner.page.text
    assert case().reference not in owner.page.text


@pytest.mark.usefixtures("thief")
def test_an_invitation_that_was_issued_before_opens_it_no_longer(inbox, owner):
    code = invite("jeanne")
    stop(inbox, owner)
    enter_invitation(owner.authorize(), code)
    assert owner.step == "invitation"
    assert owner.page.status == 422


def test_the_forgotten_password_leads_to_support_too(inbox, thief, owner):
    stop(inbox, owner)
    owner.authorize().press("Mot de passe oublié ?").press("Recevoir le code", email="jeanne")
    owner.press("Vérifier le code", code=owner.code(OLD))
    assert owner.step == "sign-in"
    assert "a été arrêté" in owner.page.text


@pytest.mark.usefixtures("thief")
def test_the_link_works_once_and_says_so_in_the_audit(inbox, owner):
    path = link(told(inbox)[0])
    stop(inbox, owner)
    assert owner.get(path).page.status == 410
    assert db.session.query(AuditEvent).filter_by(event="case_disputed").count() == 1


def test_of_one_case_the_old_address_hears_once_a_day(inbox, thief):
    for other in ("thief2@example.com", "thief3@example.com"):
        thief.press("Corriger l’adresse email").press("Recevoir le code", email=other)
    assert len(told(inbox)) == 1
    with time_machine.travel(clock.now() + timedelta(days=1, minutes=1), tick=True):
        thief.authorize().sign_in("jeanne", PASSWORD).press("Recevoir le code", email=THIEF)
        assert len(told(inbox)) == 2


@pytest.mark.usefixtures("old")
def test_whoever_gives_the_address_on_record_is_not_warned_of_themselves(inbox, person):
    person.authorize().sign_in("jeanne", PASSWORD).press("Recevoir le code", email=OLD.upper())
    assert told(inbox, OLD) == []


@pytest.mark.usefixtures("old")
def test_whoever_is_known_by_a_number_only_is_told_by_sms(person):
    person.authorize().sign_in("luc", PASSWORD).press("Recevoir le code", email=THIEF)
    sent = [row.recipient for row in db.session.query(OutboxMessage).filter_by(kind="sms")]
    assert sent == [mask_phone("+41791234567")]


def test_a_link_that_is_used_after_the_end_blocks_the_account(inbox, thief, owner):
    path = link(told(inbox)[0])
    thief.press("Vérifier le code", code=thief.code(THIEF)).press("Continuer").press(NO_PHONE)
    thief.finish()
    owner.get(path).press(STOP)
    assert owner.step == "alert-blocked"
    assert not accounts.by_email_key(THIEF).active
    assert case().disputed_at is not None


@pytest.mark.usefixtures("old")
def test_the_link_of_the_end_disputes_the_case(inbox, person, owner):
    person.authorize().migrate("jeanne", PASSWORD, ADDRESS)
    owner.get(link(told(inbox)[-1])).press("Ce n’est pas moi : bloquer le compte")
    assert case().disputed_at is not None
    assert not accounts.by_email_key(ADDRESS).active


def test_a_case_that_was_let_go_is_not_stopped_by_the_links_of_before(inbox, thief, owner):
    """Whoever reads an old mailbox cannot stop its owner again and again."""
    with time_machine.travel(clock.now() + timedelta(days=2), tick=True):
        thief.authorize().sign_in("jeanne", PASSWORD).press("Recevoir le code", email=THIEF)
        first, second = told(inbox)
        owner.get(link(second)).press(STOP)
        with transaction():
            db.session.execute(update(MigrationCase).values(disputed_at=None))
        assert owner.get(link(first)).page.status == 410


@pytest.mark.parametrize("proof", ["contact", "invite"])
def test_whoever_showed_more_than_the_password_is_not_told_of_at_the_email_step(
    app, tmp_path, inbox, person, proof
):
    with asking_for(app, tmp_path, proof):
        person.authorize().sign_in("jeanne", PASSWORD)
        if proof == "contact":
            person.press("Vérifier le code", code=person.code(OLD))
        else:
            person.press("Continuer", invitation=invite("jeanne"))
        person.press("Recevoir le code", email=ADDRESS)
        assert person.step == "email-code"
        assert told(inbox) == []


@pytest.mark.usefixtures("old")
def test_a_number_on_record_is_told_of_the_end_too(inbox, person):
    person.authorize().migrate("luc", PASSWORD, ADDRESS)
    outbox.deliver_due("test")
    by_sms = [one.text for one in inbox.messages if one.channel == "sms"]
    assert [text.split(".")[0] for text in by_sms] == [
        "Changement d'identifiant en cours",
        "Nouvel identifiant de votre compte",
    ]


@pytest.mark.usefixtures("old")
def test_an_unblocked_account_is_disputed_no_longer(inbox, person, owner):
    person.authorize().migrate("jeanne", PASSWORD, ADDRESS)
    owner.get(link(told(inbox)[-1])).press("Ce n’est pas moi : bloquer le compte")
    with transaction():
        support.unfreeze(accounts.by_email_key(ADDRESS).id, actor="os:clerk", why="it was her")
    assert case().disputed_at is None


def test_the_links_of_a_case_are_over_when_support_lets_it_go_on(inbox, thief, owner):
    path = link(told(inbox)[0])
    with transaction():
        cases.dispute(db.session.query(MigrationCase).one().id)
    with transaction():
        corrections.reopen(db.session.query(MigrationCase).one(), BY)
    assert owner.get(path).page.status == 410
    assert thief


@pytest.mark.usefixtures("old")
def test_the_links_of_a_migration_are_over_when_it_was_undone(inbox, person, owner):
    person.authorize().migrate("jeanne", PASSWORD, ADDRESS)
    paths = {link(text) for text in (*told(inbox), *told(inbox, ADDRESS))}
    with transaction():
        corrections.revert(case_identity(), BY)
    assert {owner.get(path).page.status for path in paths} == {410}


def case_identity():
    return db.session.query(MigrationCase).one().identity


@pytest.mark.usefixtures("old")
def test_unblocking_one_account_ends_no_other_dispute(inbox, person, another):
    person.authorize().migrate("jeanne", PASSWORD, ADDRESS)
    another().authorize().migrate("paul", PASSWORD, "paul@example.ch")
    with transaction():
        for one in db.session.query(MigrationCase):
            cases.dispute(one.id)
        row = accounts.by_email_key(ADDRESS).id
        assert support.freeze(row, actor="os:clerk", why="x")
    with transaction():
        assert support.unfreeze(row, actor="os:clerk", why="it was her")
    disputed = db.session.query(MigrationCase).filter(MigrationCase.disputed_at.is_not(None))
    assert [one.identity.key for one in disputed] == ["2"]
    assert inbox


def test_after_support_let_it_begin_again_the_old_address_is_told_at_once(
    inbox, thief, owner, another
):
    stop(inbox, owner)
    with transaction():
        assert corrections.reopen(case(), BY)
    again = another().authorize().sign_in("jeanne", PASSWORD)
    again.press("Recevoir le code", email="second@example.com")
    again.code("second@example.com")
    assert len(told(inbox)) == 2
