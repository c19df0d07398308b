"""The purge: all that is over goes, all that still counts stays, whatever hangs on what."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select

from idp import clock, housekeeping
from idp.accounts.account import Account
from idp.accounts.addresses import EmailAddress
from idp.challenges import sms
from idp.clients.client import Client
from idp.clients.registration_tokens import RegistrationToken
from idp.extensions import Base, db, transaction
from idp.flow import alerts
from idp.flow.alerts import AlertKind
from idp.grants.models import ClientToken
from idp.keys import signing
from idp.migration import invitations
from idp.migration.invitations import By
from idp.migration.models import ReminderStop
from idp.security import throttle
from idp.sessions.logout_notices import LogoutNotice
from tests.support.people import PASSWORD
from tests.support.rows import make
from tests.support.tokens import redeem

START = "2026-01-01T12:00:00Z"


def counts():
    db.session.expire_all()
    names = {table.name: table for table in Base.metadata.sorted_tables}
    return {
        name: db.session.scalar(select(func.count()).select_from(table))
        for name, table in names.items()
    }


def live(person, login):
    """Migrate, sign in, and take offline tokens."""
    address = f"{login}@example.ch"
    person.authorize(scope="openid offline_access", prompt="login")
    person.migrate(login, PASSWORD, address)
    person.press("Se connecter à e-services").two_factors(address)
    assert "refresh_token" in redeem(person)


def stop_half_way(person, login):
    person.authorize(prompt="login").sign_in(login, PASSWORD)
    person.press("Recevoir le code", email=f"{login}@example.ch")
    assert person.code(), "so that whoever comes next finds only their own"


@pytest.fixture
def now():
    with time_machine.travel(START, tick=False) as clock:
        yield clock


@pytest.fixture
def lived_in(person, now):
    """One migrated person with a session and offline tokens, and one who stopped half-way."""
    live(person, "jeanne")
    stop_half_way(person, "paul")
    return now


@pytest.mark.usefixtures("lived_in")
def test_nothing_that_counts_is_touched():
    with transaction():
        assert throttle.purge(100), "what right passwords and codes have emptied"
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
    assert gone["throttle"] > 0
    assert left["throttle"] == 0


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
    assert left["legacy_identity"] == 1, "the claimed one"


@pytest.fixture
def crowded(person, lived_in):
    """Two of each; two years later all of it is over."""
    live(person, "rosa")
    stop_half_way(person, "luc")
    with transaction():
        for number in ("+41791234567", "+33612345678"):
            signing.retire(signing.create(signing.new_pair("RS256")).kid)
            sms.count_sent(number)
            address = EmailAddress(f"n{number}@example.ch", f"n{number}@example.ch")
            invitations.invite_newcomer(address, By("os:clerk", "asked"))
            make(LogoutNotice.__table__, expires_at=clock.now())
            make(Client.__table__, kept_until=clock.now())
            make(RegistrationToken.__table__, expires_at=clock.now())
            make(ClientToken.__table__, expires_at=clock.now())
            db.session.add(ReminderStop(digest=number, expires_at=clock.now()))
            alerts.tell(db.session.scalars(select(Account)).first(), AlertKind.NEW_BROWSER)
    lived_in.shift(timedelta(days=730))
    return dict(housekeeping._ORDER)


def test_no_purge_deletes_more_in_one_transaction_than_it_is_told_to(crowded):
    for name, room_purge in crowded.items():
        gone = []
        while not gone or gone[-1]:
            with transaction():
                gone.append(room_purge(1))
        assert set(gone) == {0, 1}, name
        assert len(gone) > 2, f"{name}: there were two, so that a limit of one shows"


def test_the_purge_goes_on_until_nothing_is_left(crowded, monkeypatch):
    monkeypatch.setattr(housekeeping, "BATCH", 1)
    gone = housekeeping.purge()
    assert all(number >= 2 for number in gone.values()), gone
    assert set(housekeeping.purge().values()) == {0}
