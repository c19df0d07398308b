"""A database that nobody gets to is a clear 503 that says when to come again, and nothing is half done."""

from contextlib import contextmanager

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from idp.extensions import db
from idp.sessions.models import Authentication
from tests.support.accounts import ADDRESS, make_account
from tests.support.journey import ISSUER, NEW_PASSWORD

PATIENCE = {"sqlite": "PRAGMA busy_timeout=50", "postgresql": "SET lock_timeout='50ms'"}
HOLD = "LOCK TABLE interaction, throttle IN ACCESS EXCLUSIVE MODE"


@pytest.fixture
def impatient(app):
    """Nobody waits long for a lock."""
    engine = db.engine
    db.session.remove()
    engine.dispose()

    def hurry(connection, _record):
        cursor = connection.cursor()
        cursor.execute(PATIENCE[engine.dialect.name])
        cursor.close()
        if engine.dialect.name == "postgresql":
            connection.commit()

    event.listen(engine, "connect", hurry)
    yield
    event.remove(engine, "connect", hurry)
    db.session.remove()
    engine.dispose()


@contextmanager
def held():
    """Somebody else has the lock that every write needs."""
    options = {"seuil_immediate": True} if db.engine.dialect.name == "sqlite" else {}
    with db.engine.connect().execution_options(**options) as other, other.begin():
        if not options:
            other.execute(text(HOLD))
        yield


@pytest.mark.usefixtures("impatient")
def test_a_lock_that_is_never_let_go_is_503_and_later_all_is_as_before(person):
    make_account()
    person.authorize()
    before = person.page, person.path
    with held():
        person.sign_in(ADDRESS, NEW_PASSWORD)
        answer = person.browser.get(person.authorize_path(), base_url=ISSUER)
    assert (person.page.status, person.step) == (503, "error")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "Réessayez dans quelques secondes" in person.page.text
    person.page, person.path = before
    person.sign_in(ADDRESS, NEW_PASSWORD).press("Vérifier le code", code=person.code())
    assert person.callback["code"]
    assert db.session.query(Authentication).count() == 1


def nothing_free(*_args, **_options):
    raise PoolTimeoutError("QueuePool limit reached")


def test_so_is_a_pool_without_a_free_connection(person, monkeypatch):
    make_account()
    person.authorize()

    monkeypatch.setattr("idp.pages.sign_in.check_password", nothing_free)
    person.sign_in(ADDRESS, NEW_PASSWORD)
    assert person.page.status == 503


def test_programs_are_told_in_json(client, monkeypatch):
    monkeypatch.setattr("idp.oidc.userinfo.tokens.find", nothing_free)
    headers = {"Authorization": f"Bearer {'x' * 43}"}
    answer = client.get("/userinfo", headers=headers, base_url=ISSUER)
    assert answer.status_code == 503
    assert answer.get_json()["error"] == "temporarily_unavailable"
