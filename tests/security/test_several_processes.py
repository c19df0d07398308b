"""What must happen once happens once, however many processes are asked for it at the same moment.

Two real processes on one database; no request shares a connection with the one before it.
"""

import re
import time
from datetime import timedelta

import pytest
import requests

from idp.accounts import account as accounts
from idp.accounts.account import Account
from idp.audit.models import AuditEvent
from idp.challenges.challenge import Challenge
from idp.delivery import outbox
from idp.extensions import db, transaction
from idp.flow import alerts
from idp.flow.alerts import AlertKind
from idp.grants.models import AuthorizationCode, Token
from idp.legacy.identity import LegacyIdentity
from idp.migration.models import MigrationCase
from idp.sessions.models import Authentication, BrowserSession
from tests.support.accounts import ADDRESS, make_account
from tests.support.journey import NEW_PASSWORD, Person
from tests.support.people import PASSWORD, PEOPLE
from tests.support.remote import RemoteBrowser, press_at_once
from tests.support.server import serving
from tests.support.together import together

RESEND = timedelta(seconds=3)
CHOSEN = "quatre gros hiboux gris"


@pytest.fixture
def server(app):
    changes = {"sign_in_slots": 16, "resend_after": RESEND}
    with serving(app.extensions["seuil.settings"], workers=2, **changes) as url:
        yield url


@pytest.fixture
def another(app, inbox, portal, server):
    """Makes people, each at a browser of their own."""

    def make():
        person = Person(app, inbox, portal, server)
        person.browser = RemoteBrowser()
        return person

    return make


def rows(model):
    db.session.rollback()
    return db.session.query(model).count()


def claimed():
    return db.session.query(LegacyIdentity).filter(LegacyIdentity.account_id.is_not(None)).count()


def statuses(answers):
    return {answer.status_code for answer in answers}


def messages(inbox):
    db.session.rollback()
    outbox.deliver_due("test")
    return len(inbox.messages)


def test_every_button_of_a_migration(another, inbox):
    person = another().authorize()
    assert statuses(
        press_at_once(person, "Se connecter", identifier="jeanne", password=PASSWORD)
    ) <= {303, 429}
    assert (person.step, rows(MigrationCase)) == ("email", 1)
    press_at_once(person, "Recevoir le code", email=ADDRESS)
    assert (person.step, rows(Challenge), messages(inbox)) == ("email-code", 1, 2)
    assert len(inbox.codes) == 1, "the other is the notice to the contact on record"
    assert statuses(press_at_once(person, "Vérifier le code", code=person.code())) <= {
        303,
        422,
        429,
    }
    assert person.step == "email-verified"
    assert statuses(press_at_once(person, "Continuer")) == {303}
    press_at_once(person, "Je ne souhaite pas donner mon numéro de téléphone")
    assert (person.step, rows(Account)) == ("profile", 0)
    fields = {"password": NEW_PASSWORD, "confirmation": NEW_PASSWORD}
    assert statuses(press_at_once(person, "Mettre à jour le compte", **fields)) <= {303, 422, 429}
    assert (person.step, rows(Account), claimed()) == ("done", 1, 1)
    assert rows(Authentication) == 0


def test_every_button_of_a_sign_in(another, inbox):
    make_account()
    person = another().authorize()
    press_at_once(person, "Se connecter", identifier=ADDRESS, password=NEW_PASSWORD)
    assert (person.step, messages(inbox)) == ("second-factor", 1)
    answers = press_at_once(person, "Vérifier le code", code=person.code())
    assert statuses(answers) <= {303, 422, 429, 410}
    assert [rows(Authentication), rows(BrowserSession)] == [1, 1]
    assert rows(AuthorizationCode) <= 1


def test_one_resend(another, inbox):
    make_account()
    person = another().authorize().sign_in(ADDRESS, NEW_PASSWORD)
    before = messages(inbox)
    time.sleep(RESEND.total_seconds() + 0.1)
    answers = press_at_once(person, "Envoyer le code à nouveau")
    assert statuses(answers) <= {303, 429}
    assert messages(inbox) == before + 1


@pytest.fixture
def signed_in(another):
    make_account()
    person = another().authorize(scope="openid offline_access", prompt="consent")
    person.two_factors(ADDRESS)
    return person


def token(person, **fields):
    client = (person.client.client_id, person.client.secret)
    return requests.post(f"{person.issuer}/token", data=fields, auth=client, timeout=30)


def by_code(person):
    fields = {"grant_type": "authorization_code", "code": person.callback["code"]}
    fields |= {"redirect_uri": person.client.redirect_uri, "code_verifier": person.verifier}
    return token(person, **fields)


def dead(person, answer):
    """Nothing of it lives."""
    bearer = {"Authorization": f"Bearer {answer['access_token']}"}
    info = requests.get(f"{person.issuer}/userinfo", headers=bearer, timeout=30)
    again = token(person, grant_type="refresh_token", refresh_token=answer["refresh_token"])
    return (info.status_code, again.status_code) == (401, 400)


def test_one_code_redeemed_by_many(signed_in):
    answers = together(8, lambda _: by_code(signed_in))
    assert statuses(answers) <= {200, 400}
    won = [answer.json() for answer in answers if answer.status_code == 200]
    assert len(won) <= 1
    assert all(dead(signed_in, answer) for answer in won)


def test_one_refresh_token_used_by_many(signed_in):
    first = by_code(signed_in).json()
    fields = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    answers = together(8, lambda _: token(signed_in, **fields))
    assert statuses(answers) <= {200, 400}
    won = [answer.json() for answer in answers if answer.status_code == 200]
    assert len(won) <= 1
    assert all(dead(signed_in, answer) for answer in [first, *won])
    assert rows(Token) > 0


def test_many_people_and_one_address(another):
    people = [another().authorize() for _ in range(3)]
    for person, login in zip(people, ("jeanne", "paul", "rosa"), strict=True):
        person.to_profile(login, PASSWORD, ADDRESS)
    together(3, lambda number: people[number].finish())
    assert (rows(Account), claimed()) == (1, 1)
    assert sorted(person.step for person in people) == ["done", "email", "email"]


def test_one_person_on_many_devices(another):
    people = [another().authorize() for _ in range(3)]
    for number, person in enumerate(people):
        person.to_profile("jeanne", PASSWORD, f"jeanne{number}@example.ch")
    together(3, lambda number: people[number].finish())
    assert (rows(Account), claimed()) == (1, 1)


def test_a_recovery(another):
    row = make_account()
    person = another().authorize().press("Mot de passe oublié ?")
    press_at_once(person, "Recevoir le code", email=ADDRESS)
    press_at_once(person, "Vérifier le code", code=person.code(ADDRESS))
    assert person.step == "recovery-password"
    fields = {"password": CHOSEN, "confirmation": CHOSEN}
    press_at_once(person, "Enregistrer le mot de passe", **fields)
    assert (person.step, rows(Authentication)) == ("sign-in", 0)
    assert accounts.by_id(row).epoch == 2


def test_the_button_of_a_notice(another, inbox):
    row = make_account()
    with transaction():
        alerts.tell(accounts.by_id(row), AlertKind.PASSWORD_CHANGED)
    outbox.deliver_due("test")
    person = another().get(re.search(r"/alert/[\w-]{43}", inbox.messages[-1].text)[0])
    press_at_once(person, "Ce n’est pas moi : bloquer le compte")
    db.session.rollback()
    assert not accounts.by_id(row).active
    assert db.session.query(AuditEvent).filter_by(event="frozen").count() == 1


def test_one_number_and_many_people(app, inbox, portal):
    """It may enrol three times as often as one person may send to it."""
    limits = {"send_limit_short": 1}
    with serving(app.extensions["seuil.settings"], workers=2, **limits) as url:
        people = [Person(app, inbox, portal, url) for _ in PEOPLE]
        for person, login in zip(people, PEOPLE, strict=True):
            person.browser = RemoteBrowser()
            person.authorize().sign_in(login, PASSWORD).give_email(f"{login}@example.ch")
        together(5, lambda number: people[number].press("Recevoir le code", phone="0791234567"))
    assert sorted(person.step for person in people) == ["phone"] * 2 + ["phone-code"] * 3
    outbox.deliver_due("test")
    assert len([one for one in inbox.codes if one.channel == "sms"]) == 3


def test_tries_survive_a_restart(app, inbox, portal):
    make_account()
    settings = app.extensions["seuil.settings"]
    with serving(settings) as before:
        person = Person(app, inbox, portal, before)
        person.browser = RemoteBrowser()
        person.authorize().sign_in(ADDRESS, NEW_PASSWORD)
        right = person.code()
        wrong = f"{(int(right) + 1) % 10**6:06}"
        for _ in range(3):
            person.press("Vérifier le code", code=wrong)
            assert person.page.status == 422
    with serving(settings) as person.issuer:
        person.get(person.path)
        for status in (422, 422, 429):
            person.press("Vérifier le code", code=wrong)
            assert person.page.status == status
        person.press("Vérifier le code", code=right)
        assert (person.step, rows(Authentication)) == ("second-factor", 0)
