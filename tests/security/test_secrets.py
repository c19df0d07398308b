"""The whole road leaves no secret in the logs, and none in clear in the database."""

import base64
import re

import pytest
from sqlalchemy import inspect, select, text

from idp import logs
from idp.audit.models import AuditEvent
from idp.delivery import outbox
from idp.extensions import db
from tests.support.journey import CODE, NEW_PASSWORD
from tests.support.people import PASSWORD
from tests.support.settings import override
from tests.support.tokens import ask_token, redeem, refresh, userinfo

ADDRESS = "jeanne.favre@example.ch"
PHONE = "+41791234567"


class Keeper:
    """Remembers every secret that a road brings forth."""

    def __init__(self, person):
        self.person, self.secrets = person, {PASSWORD, NEW_PASSWORD, person.client.secret}

    def code(self):
        outbox.deliver_due("test")
        codes = (CODE.search(one.text) for one in reversed(self.person.inbox.messages))
        code = next(found[1] for found in codes if found)
        self.secrets.add(code)
        return code

    def walk(self):
        person = self.person
        person.authorize(scope="openid email offline_access", prompt="consent")
        person.sign_in("jeanne", "a wrong password")
        person.sign_in("jeanne", PASSWORD)
        person.press("Recevoir le code", email=ADDRESS)
        person.press("Vérifier le code", code="000000")
        person.press("Vérifier le code", code=self.code()).press("Continuer")
        person.press("Recevoir le code", phone=PHONE)
        person.press("Vérifier le code", code=self.code())
        person.press("Mettre à jour le compte", password="short", confirmation="other")
        person.press("Mettre à jour le compte", password=NEW_PASSWORD, confirmation=NEW_PASSWORD)
        person.press("Se connecter à e-services").sign_in(ADDRESS, NEW_PASSWORD)
        person.press("Vérifier le code", code=self.code())
        first = redeem(person)
        second = refresh(person, first["refresh_token"]).get_json()
        assert userinfo(person, second["access_token"]).status_code == 200
        assert ask_token(person).status_code == 400, "a code used twice, which is logged"
        assert userinfo(person, "not a token").status_code == 401
        self.secrets |= {"a wrong password", person.callback["code"], person.verifier}
        for tokens in (first, second):
            names = {"access_token", "id_token", "refresh_token"} & set(tokens)
            self.secrets |= {tokens[name] for name in names}
        self.secrets |= {
            cookie.value
            for cookie in person.browser._cookies.values()
            if cookie.key in {"seuil-browser", "seuil-session"}
        }
        return self


@pytest.fixture
def keeper(person):
    return Keeper(person)


def test_logs_even_at_debug(app, keeper, capfd, caplog):
    with override(app, log_level="DEBUG"), caplog.at_level("DEBUG"):
        logs.init(app.extensions["seuil.settings"])
        keeper.walk()
        lines = capfd.readouterr().err.splitlines()
        logged = "\n".join([*lines, *(record.getMessage() for record in caplog.records)])
    logs.init(app.extensions["seuil.settings"])
    assert '"outcome": "sent"' in logged, "there is something to look at"
    for secret in {*keeper.secrets, ADDRESS, PHONE, "Favre"}:
        assert secret not in logged, secret


def test_audit_events(app, keeper):
    keeper.walk()
    events = db.session.scalars(select(AuditEvent).order_by(AuditEvent.id)).all()
    told = [event.event for event in events]
    assert {"sign_in_failed", "migrated", "signed_in", "code_reused"} <= set(told)
    written = "\n".join(f"{event.account} {event.actor} {event.details}" for event in events)
    for secret in {*keeper.secrets, ADDRESS, PHONE, "Favre"}:
        assert secret not in written, secret


def test_the_database(app, keeper):
    keeper.walk()
    everything = dump()
    assert ADDRESS in everything, "an address is stored, and this looks in the right place"
    for secret in keeper.secrets:
        encoded = base64.b64encode(secret.encode()).decode().rstrip("=")
        assert not re.search(rf"(?<![\w+/-]){re.escape(secret)}(?![\w+/-])", everything), secret
        assert encoded not in everything, secret


def test_a_waiting_message_is_sealed(app, keeper, person):
    person.authorize().sign_in("jeanne", PASSWORD).press("Recevoir le code", email=ADDRESS)
    rows = db.session.execute(text("SELECT * FROM outbox")).all()
    assert len(rows) == 2, "the code, and the notice to the contact on record"
    assert all(row.payload and ADDRESS not in str(row) for row in rows)
    outbox.deliver_due("test")
    db.session.rollback()
    left = db.session.execute(text("SELECT payload FROM outbox")).scalars()
    assert not any(left)


def dump() -> str:
    """Every value of every table as text."""
    found = []
    for table in inspect(db.engine).get_table_names():
        for row in db.session.execute(text(f'SELECT * FROM "{table}"')):
            found += [
                value.decode("latin-1") if isinstance(value, bytes) else str(value) for value in row
            ]
    return "\n".join(found)
