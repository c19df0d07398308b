"""One's own account: behind a fresh sign-in; address, number, password, and signing out everywhere."""

from datetime import timedelta

import pytest
import time_machine

from idp import clock
from idp.accounts import account as accounts
from idp.audit.models import AuditEvent
from idp.delivery import outbox
from idp.extensions import db
from tests.support.accounts import ADDRESS, make_account
from tests.support.journey import NEW_PASSWORD
from tests.support.people import PASSWORD
from tests.support.settings import override

NUMBER, OTHER_NUMBER = "+41791234567", "+41791234568"
NEW = "jeanne.neuve@example.ch"
CHOSEN = "quatre gros hiboux gris"
SAVE = "Enregistrer le mot de passe"


@pytest.fixture
def row(app):
    return make_account(phone=NUMBER)


@pytest.fixture
def owner(person, row):
    """At their account, freshly signed in there."""
    return at_account(person)


def at_account(person, address=ADDRESS, password=NEW_PASSWORD):
    person.get("/account")
    assert person.step == "sign-in"
    return person.two_factors(address, password)


def account(row):
    db.session.expire_all()
    return accounts.by_id(row)


def enter(person, to):
    return person.press("Vérifier le code", code=person.code(to))


def told(inbox):
    """Who got which notice since the last look."""
    inbox.clear()
    outbox.deliver_due("test")
    return {message.to: message.text for message in inbox.messages}


def test_who_is_not_signed_in_signs_in_with_both_factors_and_comes_back(owner):
    assert (owner.step, owner.path) == ("account", "/account")
    for word in (ADDRESS, "+41 79 123 45 67", "Jeanne Favre", "14 mars 1950", "Rue du Lac 1"):
        assert word in owner.page.text
    assert "14 March 1950" in owner.get("/account?ui_locales=en").page.text


def test_a_sign_in_for_a_service_does_while_it_is_fresh(person, row):
    person.authorize().two_factors(ADDRESS)
    assert person.get("/account").step == "account"


@pytest.mark.parametrize(
    "path", ["/account", "/account/email", "/account/phone", "/account/password"]
)
def test_ten_minutes_later_both_factors_are_asked_for_again(owner, path):
    assert owner.get(path).step.startswith("account")
    with time_machine.travel(clock.now() + timedelta(minutes=10, seconds=1), tick=True):
        assert owner.get(path).step == "sign-in"
        owner.two_factors(ADDRESS)
        assert owner.step == "account"


def test_the_password_too_must_be_fresh_and_not_the_code_alone(person, row):
    with time_machine.travel(clock.now(), tick=False) as now:
        person.get("/account").sign_in(ADDRESS, NEW_PASSWORD)
        now.shift(timedelta(minutes=11))
        person.press("Envoyer le code à nouveau")
        enter(person, NUMBER)
        assert person.step == "sign-in"


def test_a_form_sent_too_late_changes_nothing(owner, row):
    owner.get("/account/password")
    with time_machine.travel(clock.now() + timedelta(minutes=11), tick=True):
        owner.press(SAVE, present=NEW_PASSWORD, password=CHOSEN, confirmation=CHOSEN)
    assert owner.step == "sign-in"
    assert account(row).epoch == 1


def test_the_home_page_leads_there(person):
    assert 'href="/account"' in person.get("/").page.source


def test_who_has_not_migrated_migrates_and_comes_back(person):
    person.get("/account").migrate("jeanne", PASSWORD, ADDRESS)
    person.press("Se connecter à e-services").two_factors(ADDRESS)
    assert person.step == "account"


# The address.


def test_the_address_is_another_once_the_new_mailbox_answered(owner, row, another, inbox):
    elsewhere = another().authorize()
    elsewhere.two_factors(ADDRESS)
    owner.get("/account/email").press("Recevoir le code", email=NEW)
    assert owner.step == "account-email-code"
    assert account(row).email == ADDRESS, "until then the old one stays the identifier"
    assert "remplacera l’identifiant" in told(inbox)[NEW]
    enter(owner, NEW)
    assert owner.step == "sign-in"
    assert "Votre identifiant est changé" in owner.page.text
    assert owner.page.forms[0].fields["identifier"] == NEW
    notices = told(inbox)
    assert set(notices) == {ADDRESS, NEW}
    assert "/alert/" in notices[ADDRESS]
    assert elsewhere.authorize(prompt="none").callback["error"] == "login_required"
    assert owner.two_factors(NEW).step == "account"
    assert NEW in owner.page.text
    event = db.session.query(AuditEvent).filter_by(event="email_changed").one()
    assert event.details == {"old": "j•••@e•••.ch", "new": "j•••@e•••.ch"}


def test_a_taken_address_is_told_only_to_who_reads_its_mail(owner, another, row, inbox):
    make_account("taken@example.ch")
    owner.get("/account/email").press("Recevoir le code", email="taken@example.ch")
    asked = owner.page
    code = owner.code("taken@example.ch")
    assert "déjà l’identifiant d’un compte" in inbox.messages[-1].text
    owner.press("Corriger l’adresse email").press("Recevoir le code", email="freed@example.ch")
    same = owner.page.source.replace("freed@", "taken@")
    assert asked.source.replace("csrf", "")[:400] == same.replace("csrf", "")[:400]
    assert "déjà l’identifiant" not in asked.text
    owner.press("Corriger l’adresse email")
    with time_machine.travel(clock.now() + timedelta(minutes=1), tick=True):
        owner.press("Recevoir le code", email="taken@example.ch")
        owner.press("Vérifier le code", code=code)
        if owner.step == "account-email-code":
            enter(owner, "taken@example.ch")
    assert (owner.step, owner.page.status) == ("account-email", 422)
    assert "déjà l’identifiant d’un autre compte" in owner.page.text
    assert account(row).email == ADDRESS


@pytest.mark.parametrize("typed", ["", "jeanne", "a b@example.ch", "\x00@x.ch"])
def test_a_text_that_is_no_address_is_explained_and_kept(owner, typed):
    owner.get("/account/email").press("Recevoir le code", email=typed)
    assert (owner.step, owner.page.status) == ("account-email", 422)
    assert "Ce n’est pas une adresse email" in owner.page.text


def test_wrong_codes_are_counted_and_a_code_can_be_sent_again(owner):
    with time_machine.travel(clock.now(), tick=False) as now:
        owner.get("/account/email").press("Recevoir le code", email=NEW)
        code = owner.code(NEW)
        owner.press("Envoyer le code à nouveau")
        assert (owner.step, owner.page.status) == ("account-email-code", 429)
        now.shift(timedelta(seconds=31))
        owner.press("Envoyer le code à nouveau")
        assert owner.code(NEW) == code
        for _ in range(5):
            owner.press("Vérifier le code", code=f"{(int(code) + 1) % 10**6:06}")
            assert owner.page.status == 422
        owner.press("Vérifier le code", code=code)
        assert (owner.step, owner.page.status) == ("account-email-code", 429)


# The number.


def test_the_number_is_another_once_the_new_phone_answered_and_the_old_one_is_told(
    owner, row, inbox
):
    owner.get("/account/phone").press("Recevoir le code", phone="079 123 45 68")
    assert account(row).phone == NUMBER
    enter(owner, OTHER_NUMBER)
    assert owner.step == "account"
    assert "Votre numéro est à jour" in owner.page.text
    assert "+41 79 123 45 68" in owner.page.text
    notices = told(inbox)
    assert set(notices) == {ADDRESS, NUMBER}
    assert all("/alert/" in text for text in notices.values())
    owner.authorize(prompt="login").sign_in(ADDRESS, NEW_PASSWORD)
    enter(owner, OTHER_NUMBER)
    assert owner.callback["code"]


def test_the_number_can_be_removed_and_codes_on_their_way_to_it_are_dead(
    owner, row, another, inbox
):
    thief = another().authorize().sign_in(ADDRESS, NEW_PASSWORD)
    code = thief.code(NUMBER)
    owner.get("/account/phone").press("Retirer le numéro et recevoir les codes par email")
    assert (owner.step, account(row).phone) == ("account", None)
    assert set(told(inbox)) == {ADDRESS, NUMBER}
    thief.press("Vérifier le code", code=code)
    assert thief.step == "second-factor"
    assert "Retirer le numéro" not in owner.get("/account/phone").page.text
    assert "Donner un numéro de téléphone" in owner.page.text
    assert "Changer de numéro" not in owner.page.text


@pytest.mark.parametrize(("typed", "word"), [("12", "pas un numéro"), ("+1 202 555 0123", "pays")])
def test_a_number_that_cannot_be_used_is_explained(owner, typed, word):
    owner.get("/account/phone").press("Recevoir le code", phone=typed)
    assert (owner.step, owner.page.status) == ("account-phone", 422)
    assert word in owner.page.text


def test_without_a_gateway_no_number_can_be_given(app, owner):
    with override(app, sms_url=""):
        assert "/account/phone" not in owner.get("/account").page.source


# The password.


def test_the_password_is_another_and_everything_else_ends(owner, row, another, inbox):
    elsewhere = another().authorize()
    elsewhere.two_factors(ADDRESS)
    owner.get("/account/password")
    owner.press(SAVE, present=NEW_PASSWORD, password=CHOSEN, confirmation=CHOSEN)
    assert owner.step == "sign-in"
    assert "Votre mot de passe est changé" in owner.page.text
    assert "/alert/" in told(inbox)[ADDRESS]
    assert elsewhere.authorize(prompt="none").callback["error"] == "login_required"
    owner.sign_in(ADDRESS, NEW_PASSWORD)
    assert owner.step == "sign-in"
    with time_machine.travel(clock.now() + timedelta(minutes=1), tick=True):
        assert owner.two_factors(ADDRESS, CHOSEN).step == "account"


@pytest.mark.parametrize(
    ("typed", "word"),
    [
        (("faux", CHOSEN, CHOSEN), "pas votre mot de passe actuel"),
        ((NEW_PASSWORD, "court", "court"), "trop court"),
        ((NEW_PASSWORD, CHOSEN, "autre chose ici"), "ne sont pas les mêmes"),
        ((NEW_PASSWORD,) * 3, "C’est votre mot de passe actuel"),
    ],
)
def test_what_is_wrong_with_it_is_explained(owner, row, typed, word):
    owner.get("/account/password")
    owner.press(SAVE, **dict(zip(("present", "password", "confirmation"), typed, strict=True)))
    assert (owner.step, owner.page.status) == ("account-password", 422)
    assert word in owner.page.text
    assert account(row).epoch == 1


def test_wrong_present_passwords_are_counted_with_those_at_a_sign_in_of_this_browser(owner, row):
    for _ in range(3):
        owner.get("/account/password")
        owner.press(SAVE, present="faux", password=CHOSEN, confirmation=CHOSEN)
    owner.authorize(prompt="login")
    for _ in range(2):
        owner.sign_in(ADDRESS, "faux")
    owner.get("/account/password")
    owner.press(SAVE, present=NEW_PASSWORD, password=CHOSEN, confirmation=CHOSEN)
    assert (owner.step, owner.page.status) == ("account-password", 429)
    assert "Trop d’essais" in owner.page.text
    assert account(row).epoch == 1


# Everywhere.


def test_signing_out_everywhere_ends_every_session_here_too(owner, row, another):
    elsewhere = another().authorize()
    elsewhere.two_factors(ADDRESS)
    owner.press("Se déconnecter partout")
    assert owner.step == "logout-done"
    assert elsewhere.authorize(prompt="none").callback["error"] == "login_required"
    assert owner.get("/account").step == "sign-in"
    assert db.session.query(AuditEvent).filter_by(event="sessions_ended").one().actor == "user"


@pytest.mark.parametrize("page", ["account", "account/email", "account/phone", "account/password"])
def test_every_page_is_there_in_english(owner, page):
    answer = owner.browser.get(
        f"/{page}", headers={"Accept-Language": "en"}, base_url="http://localhost:8000"
    )
    text = answer.get_data(as_text=True)
    assert 'lang="en"' in text
    assert "account" in text
    assert "Votre" not in text
