"""Readers of mail learn no old password, and no stranger keeps the owner from recovering."""

import pytest

from idp.accounts import account as accounts
from idp.extensions import db
from tests.support.accounts import ADDRESS, make_account
from tests.support.journey import NEW_PASSWORD, Person

FORGOTTEN = "Mot de passe oublié ?"
SAVE = "Enregistrer le mot de passe"
CHOSEN = "quatre gros hiboux gris"
PRESENT = "mot de passe actuel"


@pytest.fixture
def another(app, inbox, portal):
    return lambda: Person(app, inbox, portal)


def ask(person, address=ADDRESS):
    return person.authorize().press(FORGOTTEN).press("Recevoir le code", email=address)


def enter(person, to=ADDRESS):
    return person.press("Vérifier le code", code=person.code(to))


def test_a_form_that_is_refused_anyway_tells_nothing_of_the_present_password(person):
    """Otherwise one form would take guesses without end."""
    row = make_account()
    enter(ask(person))
    texts = []
    for guess in (NEW_PASSWORD, "trois petits canards bleus"):
        person.press(SAVE, password=guess, confirmation="something else")
        assert person.page.status == 422
        texts.append(person.page.text)
    assert texts[0] == texts[1]
    assert PRESENT not in texts[0]
    db.session.expire_all()
    assert accounts.by_id(row).epoch == 1


def test_a_wrong_guess_at_it_ends_the_recovery(person):
    row = make_account()
    enter(ask(person)).press(SAVE, password=NEW_PASSWORD, confirmation=NEW_PASSWORD)
    assert PRESENT in person.page.text
    person.press(SAVE, password=CHOSEN, confirmation=CHOSEN)
    assert person.step == "sign-in"
    db.session.expire_all()
    assert accounts.by_id(row).epoch == 2


def test_a_list_of_leaked_passwords_is_no_list_of_guesses(person, monkeypatch):
    """A guess that is refused because it is on the list does not say whether it is the present one."""
    make_account()
    enter(ask(person))
    monkeypatch.setattr("idp.accounts.leaked.is_leaked", lambda _password: True)
    person.press(SAVE, password=NEW_PASSWORD, confirmation=NEW_PASSWORD)
    assert person.page.status == 422
    assert PRESENT not in person.page.text


# Against the owner.


@pytest.fixture
def owner(person):
    """Somebody who has signed in from this browser before."""
    make_account()
    person.authorize().two_factors(ADDRESS)
    return person


def come(person, address=ADDRESS):
    path = person.authorize(prompt="login").press(FORGOTTEN)
    return path.press("Recevoir le code", email=address)


def wrong(person):
    return person.press("Vérifier le code", code="000000" if person.code() != "000000" else "1" * 6)


def test_strangers_who_use_up_an_address_do_not_keep_its_owner_from_recovering(owner, another):
    """Neither their messages nor their wrong codes count in a browser that knows the account."""
    for _ in range(6):
        stranger = ask(another())
        if stranger.step == "recovery-code":
            wrong(stranger)
    assert (stranger.step, stranger.page.status) == ("recovery", 429)
    enter(come(owner))
    assert owner.step == "recovery-password"


def test_an_owner_who_was_asked_to_wait_elsewhere_has_tries_here(owner, another):
    stranger = ask(another())
    for _ in range(6):
        wrong(stranger)
    assert stranger.page.status == 429
    come(owner)
    assert wrong(owner).page.status == 422
    assert enter(owner).step == "recovery-password"


def test_a_known_browser_has_as_few_messages_and_tries_as_strangers(app, owner):
    """Also when its cookie was copied to many."""
    cookie = owner.browser.get_cookie("seuil-known").value
    steps, statuses = [], []
    for _ in range(6):
        thief = Person(app, owner.inbox, owner.client)
        thief.browser.set_cookie("seuil-known", cookie, domain="localhost")
        steps.append(ask(thief).step)
        if thief.step == "recovery-code":
            statuses += [wrong(thief).page.status for _ in range(2)]
    assert steps == ["recovery-code"] * 5 + ["recovery"]
    assert statuses == [422] * 5 + [429] * 5


def test_a_browser_known_to_one_account_is_a_stranger_to_all_others(owner, another):
    make_account("autre@example.ch")
    for _ in range(5):
        ask(another(), "autre@example.ch")
    assert come(owner, "autre@example.ch").page.status == 429
    assert come(owner, "personne@example.ch").step == "recovery-code"


def test_a_browser_that_knew_the_account_before_it_changed_is_a_stranger(owner, another):
    choose = {"password": CHOSEN, "confirmation": CHOSEN}
    enter(ask(another())).press(SAVE, **choose)
    for _ in range(4):
        ask(another())
    assert come(owner).page.status == 429
