"""The purge: all that is over goes, all that still counts stays, whatever hangs on what."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select

from idp import housekeeping
from idp.accounts.account import Account
from idp.extensions import Base, db
from tests.support.people import PASSWORD
from tests.support.tokens import redeem

START = "2026-01-01T12:00:00Z"


def counts():
    db.session.expire_all()
    names = {table.name: table for table in Base.metadata.sorted_tables}
    return {
        name: db.session.scalar(select(func.count()).select_from(table))
        for name, table in names.items()
    }


@pytest.fixture
def lived_in(person):
    """One migrated person with a session and offline tokens, and one who stopped half-way."""
    with time_machine.travel(START, tick=False) as now:
        person.authorize(scope="openid offline_access")
        person.migrate("jeanne", PASSWORD, "jeanne@example.ch")
        person.press("Se connecter à e-services").two_factors("jeanne@example.ch")
        tokens = redeem(person)
        assert "refresh_token" in tokens
        person.authorize(prompt="login").sign_in("paul", PASSWORD)
        person.press("Recevoir le code", email="paul@example.ch")
        yield now


@pytest.mark.usefixtures("lived_in")
def test_nothing_that_counts_is_touched():
    before = counts()
    housekeeping.purge()
    assert counts() == before


def test_a_day_later_only_what_lasts_is_left(lived_in):
    lived_in.shift(timedelta(days=2))
    gone = housekeeping.purge()
    left = counts()
    assert gone["interaction"] == 2
    assert left["browser_session"] == left["client_session"] == 0
    assert left["token"] == 1, "the refresh token"
    assert left["authorization_code"] == 1, "its root"
    assert left["authentication"] == 1, "what it descends from"
    assert left["challenge"] == 1, "the evidence under it"
    assert left["migration_case"] == 2
    assert left["throttle"] == 0 or gone["throttle"] > 0


def test_half_a_year_later_only_people_and_their_claims_are_left(lived_in):
    lived_in.shift(timedelta(days=200))
    housekeeping.purge()
    left = counts()
    for name in (
        *("token", "authorization_code", "interaction", "browser_session", "client_session"),
        *("authentication", "challenge", "outbox"),
    ):
        assert left[name] == 0, name
    assert db.session.scalars(select(Account.email)).all() == ["jeanne@example.ch"]
    assert left["migration_case"] == 1, "the finished one is history"
    assert left["legacy_identity"] == 2


def test_purges_go_in_bounded_batches(lived_in, monkeypatch):
    monkeypatch.setattr(housekeeping, "BATCH", 1)
    lived_in.shift(timedelta(days=200))
    assert housekeeping.purge()["challenge"] > 1
    assert counts()["challenge"] == 0
