"""How reminders are stopped, by whoever gets them."""

import re
from datetime import timedelta

from sqlalchemy import select, update

from idp.audit.models import AuditEvent
from idp.extensions import db, transaction
from idp.migration import reminders
from idp.migration.models import MigrationCase, ReminderStop
from tests.support.journey import ISSUER, Person
from tests.support.people import PASSWORD
from tests.support.reminding import JEANNE, deliver, link, remind

STOP = "Ne plus m’écrire à ce sujet"


def browser(app, inbox, portal):
    return Person(app, inbox, portal)


def test_the_mail_can_be_stopped_by_mail_programs(stopped, now, inbox, app):
    """RFC 8058 3.1: both headers, the link whole; 3.2: one POST, no cookie, no redirect."""
    now.shift(timedelta(days=2))
    (mail,) = remind(inbox)
    header = mail.mail["List-Unsubscribe"].strip()
    assert re.fullmatch(rf"<{ISSUER}/reminders/[\w-]{{43}}>", header)
    assert mail.mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    program = app.test_client(use_cookies=False)
    body = {"List-Unsubscribe": "One-Click"}
    path = header.strip("<>").removeprefix(ISSUER)
    assert program.post(path, data=body, base_url=ISSUER).status_code == 200
    assert db.session.scalars(select(MigrationCase)).one().reminder_email is None
    now.shift(timedelta(days=7))
    assert remind(inbox) == []


def test_the_link_shows_first_and_acts_when_the_button_is_pressed(stopped, now, inbox, app, portal):
    now.shift(timedelta(days=2))
    path = link(remind(inbox)[0])
    reader = browser(app, inbox, portal)
    for _ in range(2):
        assert reader.get(path).step == "reminder"
        assert db.session.query(ReminderStop).count() == 0
    reader.press(STOP)
    assert (reader.step, reader.page.status) == ("reminder-stopped", 200)
    assert reader.get(path).press(STOP).step == "reminder-stopped", "twice is once"
    assert db.session.query(AuditEvent).filter_by(event="reminders_stopped").count() == 1


def test_one_that_was_stopped_on_its_way_does_not_arrive(stopped, now, inbox):
    now.shift(timedelta(days=2))
    reminders.remind(actor="os:root")
    with transaction():
        assert reminders.stop(reminders.token_of(JEANNE))
    assert deliver(inbox) == []


def test_one_that_was_stopped_does_not_arrive_after_a_new_proof_either(stopped, now, inbox):
    now.shift(timedelta(days=2))
    reminders.remind(actor="os:root")
    with transaction():
        assert reminders.stop(reminders.token_of(JEANNE))
        db.session.execute(update(MigrationCase).values(reminder_email=JEANNE))
    assert deliver(inbox) == []


def test_a_refusal_outlives_the_case_and_a_new_proof(stopped, now, inbox):
    now.shift(timedelta(days=2))
    token = link(remind(inbox)[0]).rpartition("/")[2]
    with transaction():
        assert reminders.stop(token)
    stopped.authorize(prompt="login").sign_in("jeanne", PASSWORD).give_email(JEANNE)
    deliver(inbox)
    now.shift(timedelta(days=8))
    assert remind(inbox) == []


def test_other_tokens_stop_nothing_and_are_told_apart_by_nobody(stopped, now, inbox, app, portal):
    now.shift(timedelta(days=2))
    path = link(remind(inbox)[0])
    reader = browser(app, inbox, portal)
    others = [
        "x" * 43,
        reminders.token_of("paul@example.ch"),
        path[11:-1] + ("A" if path[-1] != "A" else "B"),
        reminders.tokens.digest(path[11:])[:43],
    ]
    pages = set()
    for token in others:
        shown = reader.get(f"/reminders/{token}").page
        posted = reader.browser.post(f"/reminders/{token}", base_url=ISSUER)
        assert (shown.status, posted.status_code) == (410, 410)
        pages |= {shown.source, posted.get_data(as_text=True)}
    assert len(pages) == 1
    assert db.session.query(ReminderStop).count() == 0


def test_the_token_is_in_no_table(stopped, now, inbox):
    now.shift(timedelta(days=2))
    token = link(remind(inbox)[0]).rpartition("/")[2]
    case = db.session.scalars(select(MigrationCase)).one()
    assert token not in str(vars(case))
    assert case.reminder_digest != token
