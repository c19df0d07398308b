"""What happens on our pages and endpoints is told, once, masked, and in bounded number."""

import ast
import inspect
import json
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from sqlalchemy import select

from idp import clock, housekeeping
from idp.accounts.account import Account
from idp.audit import events
from idp.audit.models import AuditEvent
from idp.delivery import outbox
from idp.extensions import db, settings
from tests.journeys.test_codes import another
from tests.support.accounts import ADDRESS, make_account
from tests.support.journey import ISSUER, NEW_PASSWORD, Person
from tests.support.people import PASSWORD
from tests.support.strict import enter_invitation
from tests.support.tokens import ask_token

NUMBER = "+41791234567"
IDP = Path(events.__file__).parents[1]


def told(name):
    """Account, client and details of every event of one kind, oldest first."""
    db.session.rollback()
    rows = db.session.scalars(
        select(AuditEvent).where(AuditEvent.event == name).order_by(AuditEvent.id)
    )
    return [{"account": row.account, "client": row.client, **row.details} for row in rows]


def sub():
    return db.session.scalar(select(Account.sub))


def test_every_event_that_can_be_told_is_told_somewhere():
    named = {name for name, value in vars(events).items() if inspect.isfunction(value)}
    called = set()
    for path in IDP.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "events":
                called.add(node.attr)
    assert {name for name in named if not name.startswith("_")} <= called


def test_a_migration_is_told_from_the_old_password_to_the_account(person, portal):
    person.authorize().migrate("jeanne", PASSWORD, ADDRESS, phone="079 123 45 67")
    (opened,) = told("case_opened")
    (migrated,) = told("migrated")
    assert (opened["source"], opened["resumed"]) == ("portail", False)
    assert opened["reference"] == migrated["reference"]
    assert migrated["account"] == sub()
    proven = told("contact_proven")
    assert [(one["channel"], one["masked"]) for one in proven] == [
        *(("email", "j•••@e•••.ch"), ("sms", "+41 ••• 67"))
    ]
    assert {one["reference"] for one in proven} == {opened["reference"]}
    written = json.dumps([row.details for row in db.session.scalars(select(AuditEvent))])
    assert ADDRESS not in written
    assert NUMBER not in written


def test_a_case_that_is_resumed_elsewhere_is_told(person, app, inbox, portal):
    person.authorize().sign_in("jeanne", PASSWORD)
    Person(app, inbox, portal).authorize().sign_in("jeanne", PASSWORD)
    assert [one["resumed"] for one in told("case_opened")] == [False, True]


def test_wrong_codes_are_told_each_and_what_follows_once_a_minute(person, portal):
    make_account()
    person.authorize().sign_in(ADDRESS, NEW_PASSWORD)
    wrong = another(person.code())
    with time_machine.travel(clock.now(), tick=False) as now:
        for _ in range(9):
            person.press("Vérifier le code", code=wrong)
        reasons = [one["reason"] for one in told("code_refused")]
        assert reasons == ["wrong"] * 5 + ["exhausted"]
        now.shift(timedelta(seconds=61))
        person.press("Vérifier le code", code=wrong)
        person.press("Vérifier le code", code=wrong)
    last = told("code_refused")[-1]
    assert len(told("code_refused")) == 7
    assert (last["account"], last["client"]) == (sub(), portal.client_id)
    assert last["purpose"] == "second-factor"
    assert wrong not in json.dumps(told("code_refused"))


def test_a_wrong_enrolment_code_is_told_without_an_account(person):
    person.authorize().sign_in("jeanne", PASSWORD).press("Recevoir le code", email=ADDRESS)
    person.press("Vérifier le code", code=another(person.code()))
    (one,) = told("code_refused")
    assert (one["account"], one["purpose"]) == (None, "email-enrolment")


def test_throttled_sign_ins_are_told_once_a_minute_for_each_bucket(person):
    make_account()
    person.authorize()
    with time_machine.travel(clock.now(), tick=False) as now:
        for _ in range(12):
            person.sign_in(ADDRESS, "wrong")
        assert [one["reason"] for one in told("sign_in_failed")] == ["wrong"] * 5 + ["throttled"]
        for _ in range(3):
            now.shift(timedelta(seconds=61))
            for _ in range(4):
                person.sign_in(ADDRESS, "wrong")
    assert len([one for one in told("sign_in_failed") if one["reason"] == "throttled"]) == 4


def test_an_old_row_held_under_many_spellings_is_told_once_a_minute_for_each(person):
    person.authorize()
    with time_machine.travel(clock.now(), tick=False):
        for _ in range(6):
            person.sign_in("jeanne", "wrong")
        reasons = [one["reason"] for one in told("sign_in_failed")]
    assert reasons[-1] == "throttled"
    assert reasons.count("throttled") == 1


def test_refused_invitations_are_told_once_a_minute(person):
    with time_machine.travel(clock.now(), tick=False) as now:
        enter_invitation(person.authorize(), "AAAA-AAAA-AAAA-AAAA")
        for pause in (0, 61):
            now.shift(timedelta(seconds=pause))
            person.press("Continuer", invitation="AAAA-AAAA-AAAA-AAAA")
    references = [one["reference"] for one in told("invitation_refused")]
    assert len(references) == 2
    assert len(set(references)) == 1


def test_an_ended_session_says_why(person):
    make_account()
    person.authorize().two_factors(ADDRESS)
    person.authorize(prompt="login").two_factors(ADDRESS)
    assert [one["why"] for one in told("session_ended")] == ["other-sign-in"]
    person.get("/logout").press("Se déconnecter")
    assert [one["why"] for one in told("session_ended")] == ["other-sign-in", "signed-out"]
    assert {one["account"] for one in told("session_ended")} == {sub()}


def test_what_a_relying_party_gets_is_told_once_a_minute(person, portal):
    make_account()
    with time_machine.travel(clock.now(), tick=False) as now:
        person.authorize().two_factors(ADDRESS)
        for _ in range(3):
            assert person.authorize().callback["code"]
        assert told("code_issued") == [{"account": sub(), "client": portal.client_id}]
        now.shift(timedelta(seconds=61))
        person.authorize(prompt="none", scope="openid")
    assert len(told("code_issued")) == 2


def test_a_wrong_client_secret_is_told_once_a_minute(person, portal):
    make_account()
    person.authorize().two_factors(ADDRESS)

    def knock(secret):
        fields = {"grant_type": "authorization_code", "code": "x"}
        person.app.test_client().post(
            "/token", data=fields, auth=(portal.client_id, secret), base_url=ISSUER
        )

    with time_machine.travel(clock.now(), tick=False) as now:
        for _ in range(3):
            knock("wrong")
        assert told("client_refused") == [{"account": None, "client": portal.client_id}]
        now.shift(timedelta(seconds=61))
        knock("wrong")
    assert len(told("client_refused")) == 2
    assert ask_token(person).status_code in {200, 400}
    assert "wrong" not in json.dumps(told("client_refused"))


@pytest.mark.parametrize("unknown", ["nobody", "x" * 500, "\x00"])
def test_a_client_that_is_none_is_not_told(person, unknown):
    """Whoever makes names up would fill the table."""
    fields = {"grant_type": "authorization_code", "code": "x"}
    person.app.test_client().post("/token", data=fields, auth=(unknown, "s"), base_url=ISSUER)
    assert told("client_refused") == []


def test_a_message_that_is_given_up_is_told_masked(person, inbox):
    person.authorize().sign_in("jeanne", PASSWORD)
    inbox.smtp_answer = "550 no such mailbox"
    person.press("Recevoir le code", email=ADDRESS)
    outbox.deliver_due("w")
    (one,) = told("message_undeliverable")
    assert (one["outcome"], one["channel"], one["masked"]) == ("dead", "email", "j•••@e•••.ch")
    assert one["why"] == "smtp: bounced, SMTP 550"


def test_a_message_that_came_too_late_is_told(person):
    person.authorize().sign_in("jeanne", PASSWORD).press("Recevoir le code", email=ADDRESS)
    with time_machine.travel(clock.now() + settings.code_lifetime + timedelta(seconds=1)):
        outbox.deliver_due("w")
    assert [one["outcome"] for one in told("message_undeliverable")] == ["expired"]


def test_a_message_that_arrives_is_not_told(person):
    person.authorize().sign_in("jeanne", PASSWORD).press("Recevoir le code", email=ADDRESS)
    outbox.deliver_due("w")
    assert told("message_undeliverable") == []


def test_the_workers_purge_is_told_when_something_went(person):
    person.authorize()
    housekeeping.purge()
    assert told("purged") == [], "nothing went"
    with time_machine.travel(clock.now() + timedelta(hours=2)):
        housekeeping.purge()
    (one,) = told("purged")
    assert "interaction=1" in one["gone"]
