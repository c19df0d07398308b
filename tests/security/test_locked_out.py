"""Nobody who knows an old password, or only an address, keeps people from signing in."""

import re

import pytest
import time_machine

from idp import clock
from idp.accounts import account as accounts
from idp.delivery import outbox
from idp.extensions import db, transaction
from idp.flow import alerts, floor
from idp.flow.alerts import Alert, AlertKind
from tests.support.accounts import ADDRESS, make_account
from tests.support.journey import NEW_PASSWORD, Person
from tests.support.settings import override
from tests.support.together import together

FORGOTTEN = "Mot de passe oublié ?"
SAVE = "Enregistrer le mot de passe"
CHOSEN = "quatre gros hiboux gris"
AGAIN = "Envoyer le code à nouveau"


@pytest.fixture
def another(app, inbox, portal):
    return lambda: Person(app, inbox, portal)


@pytest.fixture
def account(app):
    return make_account()


@pytest.fixture
def few(app):
    """So few messages and tries that a thief with a leaked password uses them up at once."""
    with override(app, send_limit_short=3, send_limit_day=3):
        yield


def use_up(thief):
    """Every message of the day, and every try of the moment."""
    for _ in range(4):
        thief.authorize(prompt="login").sign_in(ADDRESS, NEW_PASSWORD)
    for _ in range(6):
        thief.press("Vérifier le code", code="000000")


@pytest.mark.usefixtures("account", "few")
def test_a_new_password_after_a_recovery_is_of_use_at_once(person, another):
    use_up(another())
    person.authorize().press(FORGOTTEN).press("Recevoir le code", email=ADDRESS)
    person.press("Vérifier le code", code=person.code())
    person.press(SAVE, password=CHOSEN, confirmation=CHOSEN)
    person.two_factors(ADDRESS, CHOSEN)
    assert person.callback["code"]


@pytest.mark.usefixtures("account", "few")
def test_so_is_one_that_was_changed(person, another):
    person.get("/account").two_factors(ADDRESS)
    use_up(another())
    person.get("/account/password")
    person.press(SAVE, present=NEW_PASSWORD, password=CHOSEN, confirmation=CHOSEN)
    person.two_factors(ADDRESS, CHOSEN)
    assert person.step == "account"


@pytest.fixture
def waits(monkeypatch):
    """When somebody was held back until the floor, which takes a slot of everybody's."""
    seen = []
    monkeypatch.setattr(floor, "wait", seen.append)
    return seen


@pytest.mark.parametrize("typed", [ADDRESS, "nobody@example.ch"])
@pytest.mark.parametrize("button", [AGAIN, "Corriger la saisie"])
@pytest.mark.usefixtures("account")
def test_wishes_to_recover_do_not_take_every_slot(app, person, waits, typed, button):
    # However long it takes: a second later one more may try.
    with override(app, wrong_passwords_network=5), time_machine.travel(clock.now(), tick=False):
        person.authorize().press(FORGOTTEN)
        statuses = []
        for _ in range(12):
            if person.step == "recovery":
                person.press("Recevoir le code", email=typed)
            else:
                person.press(button)
            statuses.append(person.page.status)
    assert len(waits) == 5
    assert statuses[-1] == 429


@pytest.mark.usefixtures("account")
def test_who_is_told_to_wait_keeps_what_was_typed(app, person, another):
    with override(app, wrong_passwords_network=1):
        another().authorize().press(FORGOTTEN).press("Recevoir le code", email="x@example.ch")
        person.authorize().press(FORGOTTEN).press("Recevoir le code", email=ADDRESS)
    assert (person.step, person.page.status) == ("recovery", 429)
    assert person.page.forms[0].fields["email"] == ADDRESS


@pytest.mark.parametrize("round_", range(4))
def test_a_link_pressed_at_the_moment_of_a_recovery_blocks_the_account(person, another, round_):
    """Whichever is first, nobody is in afterwards, and the link is used up."""
    row = make_account(f"p{round_}@example.ch")
    with transaction():
        alerts.tell(accounts.by_id(row), AlertKind.NEW_BROWSER)
    outbox.deliver_due("test")
    owner = another().get(re.search(r"/alert/[\w-]{43}", person.inbox.messages[-1].text)[0])
    person.authorize().press(FORGOTTEN).press("Recevoir le code", email=f"p{round_}@example.ch")
    person.press("Vérifier le code", code=person.code())
    fields = {"password": CHOSEN, "confirmation": CHOSEN}
    acts = [lambda: owner.post(owner.path), lambda: person.post(person.path, **fields)]
    db.session.rollback()
    answers = together(2, lambda number: acts[number]().status_code)
    assert answers == [303, 303]
    db.session.expire_all()
    assert not accounts.by_id(row).active
    assert db.session.query(Alert).filter_by(used_at=None, kind=AlertKind.NEW_BROWSER).count() == 0
