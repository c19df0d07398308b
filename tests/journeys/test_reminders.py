"""Reminders to who proved a mailbox and stopped: to whom, how often, and how to stop them."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from idp import clock, housekeeping
from idp.accounts import account as accounts
from idp.accounts.addresses import parse_email
from idp.audit.models import AuditEvent
from idp.extensions import db, settings, transaction
from idp.migration import completion, reminders
from idp.migration.completion import NewAccount
from idp.migration.models import MigrationCase, ReminderStop
from tests.support.people import PASSWORD
from tests.support.reminding import JEANNE, deliver, link, remind
from tests.support.settings import override
from tests.support.together import together


def test_two_days_later_a_mail_says_how_to_go_on(stopped, now, inbox):
    assert remind(inbox) == []
    now.shift(timedelta(days=2))
    (mail,) = remind(inbox)
    assert (mail.to, mail.subject) == (JEANNE, "Votre changement d’identifiant n’est pas terminé")
    assert "e-services" in mail.text
    assert "encore 28 jours" in mail.text
    for secret in ("Jeanne", "Favre", "Vevey", "portail"):
        assert secret not in mail.text, (
            "whoever reads this mailbox may not be who the case is about"
        )
    event = db.session.query(AuditEvent).filter_by(event="reminders_written").one()
    assert (event.actor, event.details) == ("os:root", {"count": 1})


def test_once_a_week_and_three_times_in_all(stopped, now, inbox):
    seen = []
    for _day in range(29):
        now.shift(timedelta(days=1))
        seen.append(len(remind(inbox)))
    assert [day for day, count in enumerate(seen, start=1) if count] == [2, 9, 16]
    assert set(seen) == {0, 1}


def test_a_reminder_keeps_no_case_alive(stopped, now, inbox):
    def seen():
        case = db.session.scalars(select(MigrationCase)).one()
        return case.expires_at, case.updated_at

    before = seen()
    now.shift(timedelta(days=2))
    remind(inbox)
    db.session.expire_all()
    assert seen() == before


def test_an_address_that_was_only_typed_gets_none(person, now, inbox):
    person.authorize().sign_in("jeanne", PASSWORD)
    person.press("Recevoir le code", email=JEANNE)
    now.shift(timedelta(days=2))
    assert [one for one in remind(inbox) if one.channel == "email"] == []


def test_it_goes_to_the_address_that_was_proven_not_to_one_typed_later(stopped, now, inbox):
    stopped.authorize(prompt="login").sign_in("jeanne", PASSWORD)
    stopped.press("Recevoir le code", email="typed@example.ch")
    deliver(inbox)
    now.shift(timedelta(days=2))
    assert [mail.to for mail in remind(inbox)] == [JEANNE]


def test_whoever_has_finished_gets_none_even_if_it_was_on_its_way(stopped, now, inbox):
    now.shift(timedelta(days=2))
    assert reminders.remind(actor="os:root") == 1
    with transaction():
        case = db.session.scalars(select(MigrationCase)).one()
        completion.complete(case, NewAccount(parse_email("other@example.ch"), None, "hash", "fr"))
    assert deliver(inbox) == []
    now.shift(timedelta(days=7))
    assert remind(inbox) == []
    case = db.session.scalars(select(MigrationCase)).one()
    assert (case.reminder_email, case.reminder_digest) == (None, None)


FINISHED = {"completed_at": clock.now()}


def test_a_finished_case_gets_none_whatever_it_has_kept(stopped, now, inbox):
    """Completion forgets the address; nothing rests on that alone."""
    now.shift(timedelta(days=2))
    with transaction():
        db.session.execute(
            update(MigrationCase).values(**FINISHED, updated_at=MigrationCase.updated_at)
        )
    assert remind(inbox) == []
    with transaction():
        db.session.execute(
            update(MigrationCase).values(completed_at=None, updated_at=MigrationCase.updated_at)
        )
    assert reminders.remind(actor="os:root") == 1
    with transaction():
        db.session.execute(update(MigrationCase).values(**FINISHED))
    assert deliver(inbox) == []


def test_whoever_comes_back_between_the_look_and_the_writing_gets_none(stopped, now, inbox):
    now.shift(timedelta(days=2))
    (case_id,) = db.session.scalars(select(MigrationCase.id)).all()
    assert reminders.count_due() == 1
    stopped.authorize(prompt="login").sign_in("jeanne", PASSWORD)
    with transaction():
        assert not reminders._remind(case_id)
    assert all("/reminders/" not in mail.text for mail in deliver(inbox))


def test_an_accounts_address_gets_none(stopped, now, inbox, another):
    another().authorize().migrate("paul", PASSWORD, JEANNE)
    deliver(inbox)
    now.shift(timedelta(days=2))
    assert accounts.by_email_key(JEANNE)
    assert remind(inbox) == []


def test_one_mailbox_in_two_cases_is_one_person(stopped, now, inbox, another):
    another().authorize().sign_in("paul", PASSWORD).give_email(JEANNE.title())
    deliver(inbox)
    now.shift(timedelta(days=2))
    (mail,) = remind(inbox)
    assert remind(inbox) == []
    with transaction():
        assert reminders.stop(link(mail).rpartition("/")[2])
    now.shift(timedelta(days=7))
    assert remind(inbox) == []


def test_two_workers_write_to_each_once(app, person, another, now, inbox):
    logins = ("jeanne", "paul", "rosa", "luc")
    for login in logins:
        another().authorize().sign_in(login, PASSWORD).give_email(f"{login}@example.ch")
    deliver(inbox)
    now.shift(timedelta(days=2))
    db.session.rollback()

    def work(_number):
        with app.app_context():
            return reminders.remind(actor="worker")

    assert sum(together(4, work)) == 4
    assert sorted(mail.to for mail in deliver(inbox)) == sorted(
        f"{one}@example.ch" for one in logins
    )


def test_a_limit_leaves_the_others_for_later(another, now, inbox):
    for login in ("jeanne", "paul", "rosa"):
        another().authorize().sign_in(login, PASSWORD).give_email(f"{login}@example.ch")
    deliver(inbox)
    now.shift(timedelta(days=2))
    assert reminders.count_due() == 3
    assert len(remind(inbox, limit=2)) == 2
    assert reminders.count_due() == 1
    assert len(remind(inbox)) == 1


def test_those_who_cannot_be_written_to_do_not_stand_before_the_others(another, now, inbox):
    another().authorize().sign_in("jeanne", PASSWORD).give_email(JEANNE)
    deliver(inbox)
    now.shift(timedelta(days=2))
    token = reminders.token_of(JEANNE)
    with transaction():
        db.session.add(
            ReminderStop(
                digest=reminders.tokens.digest(token), expires_at=clock.now() + timedelta(days=1)
            )
        )
    another().authorize().sign_in("paul", PASSWORD).give_email("paul@example.ch")
    deliver(inbox)
    now.shift(timedelta(days=2))
    assert [mail.to for mail in remind(inbox, limit=1)] == ["paul@example.ch"]


def test_the_worker_writes_only_where_the_option_says_so(app, stopped, now, inbox):
    now.shift(timedelta(days=2))
    housekeeping.remind()
    assert deliver(inbox) == []
    with override(app, reminders=True):
        housekeeping.remind()
    assert len(deliver(inbox)) == 1


def test_english_for_whoever_reads_english(person, now, inbox):
    person.authorize(ui_locales="en").press("Sign in", identifier="jeanne", password=PASSWORD)
    person.press("Receive the code", email=JEANNE)
    person.press("Check the code", code=person.code())
    deliver(inbox)
    now.shift(timedelta(days=2))
    assert remind(inbox)[0].subject == "Your change of identifier is not finished"


def test_a_case_that_expired_and_begins_again_has_forgotten_the_address(stopped, now, inbox):
    now.shift(settings.case_lifetime + timedelta(minutes=1))
    assert remind(inbox) == []
    stopped.authorize(prompt="login").sign_in("jeanne", PASSWORD)
    now.shift(timedelta(days=2))
    assert remind(inbox) == []
    assert db.session.scalars(select(MigrationCase.reminder_email)).one() is None


@pytest.mark.parametrize("address", ["a\r\nBcc: x@example.ch", "x@example.ch>, <y@example.ch"])
def test_an_address_cannot_add_headers(stopped, now, inbox, address):
    """Proven addresses are parsed ones; should another ever be in the table, nothing is sent."""
    with transaction():
        db.session.execute(update(MigrationCase).values(reminder_email=address))
    now.shift(timedelta(days=2))
    assert all(set(mail.mail.keys()) >= {"List-Unsubscribe"} for mail in remind(inbox))
    assert inbox.messages == []
