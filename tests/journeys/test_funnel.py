"""What is noted of a migration for statistics: the first time of each step, and what a purge leaves of it."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from idp import clock, housekeeping
from idp.extensions import db, settings
from idp.migration.models import CampaignDay, MigrationCase
from tests.support.accounts import make_account
from tests.support.people import PASSWORD
from tests.support.together import together

START = "2027-03-10T12:00:00Z"
STEPS = ("code_sent_at", "mailbox_proven_at", "confirmed_at", "phone_settled_at", "completed_at")


@pytest.fixture(autouse=True)
def now():
    with time_machine.travel(START, tick=False) as now:
        yield now


def reached():
    """How many of the steps the one case has come to."""
    db.session.expire_all()
    case = db.session.scalars(select(MigrationCase)).one()
    return [name for name in STEPS if getattr(case, name) is not None]


def days():
    db.session.expire_all()
    names = [column.name for column in CampaignDay.__table__.columns]
    return [
        {name: getattr(row, name) for name in names if getattr(row, name)}
        for row in db.session.scalars(select(CampaignDay))
    ]


def test_each_step_is_noted_when_it_is_reached(person):
    person.authorize().sign_in("jeanne", PASSWORD)
    assert reached() == []
    person.press("Recevoir le code", email="jeanne@example.ch")
    assert reached() == list(STEPS[:1])
    person.press("Vérifier le code", code="000000")
    assert reached() == list(STEPS[:1])
    person.press("Vérifier le code", code=person.code())
    assert reached() == list(STEPS[:2])
    person.press("Continuer")
    assert reached() == list(STEPS[:3])
    person.press("Recevoir le code", phone="0791234567")
    assert reached() == list(STEPS[:3])
    person.press("Vérifier le code", code=person.code())
    assert reached() == list(STEPS[:4])
    person.finish()
    assert reached() == list(STEPS)


def test_a_step_keeps_its_first_time_and_a_refused_number_settles_one(person, now):
    person.authorize().sign_in("jeanne", PASSWORD).give_email("jeanne@example.ch")
    first = db.session.scalars(select(MigrationCase)).one().mailbox_proven_at
    person.press("Je ne souhaite pas donner mon numéro de téléphone")
    now.shift(timedelta(minutes=5))
    person.authorize(prompt="login").to_profile("jeanne", PASSWORD, "autre@example.ch")
    case = db.session.scalars(select(MigrationCase)).one()
    assert case.mailbox_proven_at == first
    assert case.phone_settled_at == first


def test_a_taken_address_is_a_conflict_and_no_proof(person):
    make_account("taken@example.ch")
    person.authorize().sign_in("jeanne", PASSWORD)
    person.press("Recevoir le code", email="taken@example.ch")
    assert db.session.scalars(select(MigrationCase)).one().conflict_at is None
    person.press("Vérifier le code", code=person.code())
    case = db.session.scalars(select(MigrationCase)).one()
    assert case.conflict_at == clock.now()
    assert case.mailbox_proven_at is None


def test_purged_cases_leave_counters_that_name_nobody(person, another, now):
    person.authorize().migrate("jeanne", PASSWORD, "jeanne@example.ch")
    another().authorize().sign_in("paul", PASSWORD).give_email("paul@example.ch")
    another().authorize().sign_in("rosa", PASSWORD)
    now.shift(settings.case_lifetime + timedelta(minutes=1))
    housekeeping.purge()
    common = {"day": clock.now().date() - timedelta(days=30), "source": "portail"}
    abandoned = {"started": 2, "code_sent": 1, "proven": 1, "confirmed": 1, "abandoned": 2}
    assert days() == [common | abandoned]
    now.shift(settings.finished_case_kept)
    housekeeping.purge()
    whole = {"started": 3, "code_sent": 2, "proven": 2, "confirmed": 2, "phone": 1}
    more = {"refused": 1, "done": 1, "abandoned": 2}
    assert days() == [common | whole | more]


def test_two_purges_at_once_count_each_case_once(app, person, another, now):
    for login in ("jeanne", "paul", "rosa", "luc"):
        another().authorize().sign_in(login, PASSWORD)
    now.shift(settings.case_lifetime + timedelta(minutes=1))

    def purge(_number):
        with app.app_context():
            return housekeeping.purge()["migration_case"]

    db.session.rollback()
    assert sum(together(4, purge)) == 4
    assert days()[0]["abandoned"] == 4
