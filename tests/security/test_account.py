"""The pages of one's account are nobody else's, give no client anything, and hold contacts when they must."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import update

from idp import clock
from idp.accounts import account as accounts
from idp.accounts.account import Account
from idp.challenges.challenge import Challenge, Purpose
from idp.challenges.issue import code_of
from idp.clients import manage, registry
from idp.clients.registration import Registration
from idp.clients.rules import InvalidRegistrationError
from idp.extensions import db, settings, transaction
from idp.flow.interaction import Interaction
from idp.grants.models import AuthorizationCode, Token
from idp.sessions.models import Authentication
from tests.support.accounts import ADDRESS, make_account
from tests.support.journey import ISSUER, NEW_PASSWORD

NUMBER = "+41791234567"
NEW = "neuve@example.ch"
CHOSEN = "quatre gros hiboux gris"
SAVE = "Enregistrer le mot de passe"
FIELDS = {
    "email": "x@example.ch",
    "phone": "0791234569",
    "code": "123456",
    "present": NEW_PASSWORD,
    "password": CHOSEN,
    "confirmation": CHOSEN,
}
ACTIONS = (
    *("email", "email-code", "phone", "phone-code", "password"),
    *("phone/remove", "resend", "cancel", "end-sessions"),
)


@pytest.fixture
def row(app):
    return make_account(phone=NUMBER)


@pytest.fixture
def owner(person, row):
    return person.get("/account").two_factors(ADDRESS)


def account(row):
    db.session.expire_all()
    return accounts.by_id(row)


def as_it_was(row):
    now = account(row)
    return (now.email, now.phone, now.epoch) == (ADDRESS, NUMBER, 1)


def enter(person, to):
    return person.press("Vérifier le code", code=person.code(to))


# Nothing for clients.


def test_a_sign_in_at_our_own_pages_gives_no_client_anything(owner):
    assert owner.callback is None
    interaction = db.session.query(Interaction).one()
    for path in (f"/authorize/{interaction.id}", f"/authorize/{interaction.id}?bind=1"):
        owner.get(path)
        assert (owner.step, owner.callback) == ("account", None)
    assert db.session.query(AuthorizationCode).count() == db.session.query(Token).count() == 0
    assert db.session.query(Authentication).count() == 1


def test_nobody_can_name_or_register_our_own_pages_as_a_client(person, app):
    own = registry.own().client_id
    person.authorize(client_id=own)
    assert (person.step, person.page.status) == ("error", 400)
    assert registry.find(own) is registry.by_row_id(0) is None
    with pytest.raises(InvalidRegistrationError), transaction():
        manage.create(Registration("x", ("https://x.ch/",)), own)
    answer = app.test_client().post(
        "/token",
        data={"grant_type": "authorization_code", "code": "x", "client_id": own},
        base_url=ISSUER,
    )
    assert answer.status_code in {400, 401}


def test_an_expired_sign_in_leads_back_to_the_account(person):
    person.get("/account")
    with time_machine.travel(clock.now() + timedelta(minutes=61), tick=True):
        person.get(person.path)
    assert (person.step, person.page.status) == ("error", 410)
    assert 'href="/account"' in person.page.source


# Nobody else's.


@pytest.mark.parametrize("action", ACTIONS)
def test_a_form_posted_from_elsewhere_changes_nothing(owner, row, action):
    fields = {**FIELDS, "csrf_token": "junk"}
    answer = owner.browser.post(f"/account/{action}", data=fields, base_url=ISSUER)
    assert answer.status_code == 400
    assert 'href="/account"' in answer.get_data(as_text=True)
    assert as_it_was(row)
    assert owner.authorize(prompt="none").callback["code"]


@pytest.mark.parametrize("action", ACTIONS)
def test_a_browser_without_a_session_changes_nothing(owner, row, another, action):
    thief = another().authorize()
    answer = thief.post(f"/account/{action}", **FIELDS)
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/interaction/")
    assert as_it_was(row)


@pytest.mark.parametrize("action", ACTIONS)
def test_a_session_that_is_not_fresh_changes_nothing(owner, row, action):
    with time_machine.travel(clock.now() + timedelta(minutes=11), tick=True):
        answer = owner.post(f"/account/{action}", **FIELDS)
    assert answer.headers["Location"].startswith("/interaction/")
    assert as_it_was(row)


@pytest.mark.parametrize("change", [{"status": "frozen"}, {"epoch": Account.epoch + 1}])
def test_an_account_frozen_or_ended_elsewhere_is_out_at_once(owner, row, change):
    owner.get("/account/email").press("Recevoir le code", email=NEW)
    code = owner.code(NEW)
    with transaction():
        db.session.execute(update(Account).where(Account.id == row).values(**change))
    owner.press("Vérifier le code", code=code)
    assert owner.step == "sign-in"
    assert account(row).email == ADDRESS


def test_a_code_for_a_new_contact_opens_nothing_else_and_no_other_code_opens_it(owner, another):
    signing = another().authorize().sign_in(ADDRESS, NEW_PASSWORD)
    second = signing.code(NUMBER)
    owner.get("/account/email").press("Recevoir le code", email=NEW)
    change = owner.code(NEW)
    if change != second:
        signing.press("Vérifier le code", code=change)
        assert signing.step == "second-factor"
        owner.press("Vérifier le code", code=second)
        assert owner.step == "account-email-code"
    assert owner.get("/account/phone-code").step == "account-phone"
    answer = owner.post("/account/phone-code", code=change)
    assert answer.headers["Location"].endswith("/account/phone"), "no such code is awaited"
    assert db.session.query(Challenge).filter_by(purpose=Purpose.EMAIL_CHANGE).one().closed_at is (
        None
    )


def test_the_code_of_one_session_is_worth_nothing_in_another(owner, another, row):
    owner.get("/account/email").press("Recevoir le code", email=NEW)
    code = owner.code(NEW)
    with time_machine.travel(clock.now() + timedelta(minutes=1), tick=True):
        other = another().get("/account").two_factors(ADDRESS)
        assert other.get("/account/email-code").step == "account-email"
        other.post("/account/email-code", code=code)
    assert as_it_was(row)


# Contacts that are held.


@pytest.fixture
def held(owner, row):
    with transaction():
        until = clock.now() + settings.contacts_held
        db.session.execute(update(Account).values(contacts_held_until=until))
    return owner


@pytest.mark.parametrize("action", ["email", "phone", "phone/remove"])
def test_held_contacts_stay_and_the_page_says_until_when(held, row, action):
    held.get("/account")
    assert "ne peuvent pas être changés avant" in held.page.text
    answer = held.post(f"/account/{action}", **FIELDS)
    assert answer.status_code == 422
    day = str(account(row).contacts_held_until.year)
    assert day in answer.get_data(as_text=True)
    assert as_it_was(row)
    assert db.session.query(Challenge).filter(Challenge.closed_at.is_(None)).count() == 0


@pytest.mark.parametrize("kind", ["email", "phone"])
def test_contacts_held_while_a_code_is_awaited_stay_too(owner, row, kind):
    owner.get(f"/account/{kind}").press("Recevoir le code", **{kind: FIELDS[kind]})
    with transaction():
        until = clock.now() + settings.contacts_held
        db.session.execute(update(Account).values(contacts_held_until=until))
    enter(owner, None)
    assert (owner.step, owner.page.status) == (f"account-{kind}", 422)
    assert as_it_was(row)


def test_after_three_days_contacts_can_be_changed_again(held, row):
    with time_machine.travel(clock.now() + timedelta(hours=73), tick=True):
        held.get("/account").two_factors(ADDRESS)
        held.get("/account/email").press("Recevoir le code", email=NEW)
        enter(held, NEW)
    assert account(row).email == NEW


# At the same moment.


def test_of_many_who_take_one_address_at_once_one_gets_it(another):
    people = []
    for name in ("ada", "ben", "eve"):
        make_account(f"{name}@example.ch")
        one = another().get("/account").two_factors(f"{name}@example.ch")
        people.append(one.get("/account/email").press("Recevoir le code", email=NEW))
    awaited = db.session.query(Challenge).filter_by(closed_at=None).order_by(Challenge.id)
    codes = [code_of(challenge.secret, challenge.counter) for challenge in awaited]
    assert len(codes) == 3
    db.session.rollback()
    with ThreadPoolExecutor(3) as pool:
        for person, code in zip(people, codes, strict=True):
            pool.submit(person.press, "Vérifier le code", code=code)
    db.session.expire_all()
    assert sorted(person.step for person in people) == ["account-email", "account-email", "sign-in"]
    assert db.session.query(Account).filter_by(email=NEW).count() == 1


def test_one_form_posted_many_times_at_once_changes_the_password_once(owner, row):
    owner.get("/account/password")
    fields = {"present": NEW_PASSWORD, "password": CHOSEN, "confirmation": CHOSEN}
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda _: owner.post("/account/password", **fields), range(3)))
    # Whoever comes after the change finds the session over, or the present password another one.
    codes = [answer.status_code for answer in answers]
    assert 303 in codes
    assert set(codes) <= {303, 422}
    assert account(row).epoch == 2


def test_one_person_cannot_write_to_many_addresses(owner, inbox):
    sent = []
    for number in range(20):
        owner.get("/account/email").press("Recevoir le code", email=f"p{number}@example.ch")
        sent.append(owner.step)
    assert sent.count("account-email-code") == 15
