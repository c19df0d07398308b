"""Notices of sessions that are over: who tells them, when, and for how long."""

from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine

from idp import clock
from idp.extensions import db, settings, transaction
from idp.sessions import browser, logout_notices
from idp.sessions.logout_notices import LogoutNotice
from tests.support.accounts import make_account
from tests.support.portal import PORTAL, register
from tests.support.proofs import begin_session

TOLD = replace(PORTAL, backchannel_logout_uri="https://portal.example/logout")
NOBODY: frozenset[int] = frozenset()


@pytest.fixture
def now():
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False) as time:
        yield time


@pytest.fixture
def token(app, now):
    """Of a session that a client knows which is told of its end."""
    client = register(TOLD)
    session, token = begin_session(make_account())
    with transaction():
        browser.client_sid(session, client.row_id)
    return token


@pytest.fixture
def notice(token):
    with transaction():
        browser.end(token)
    return db.session.query(LogoutNotice).one()


def test_of_two_workers_that_see_it_due_one_takes_it(notice):
    db.session.expunge(notice)
    until = clock.now() + timedelta(minutes=1)
    taken = []
    for _worker in range(2):
        with transaction():
            taken.append(logout_notices._take(notice, until))
    assert taken == [True, False]


def test_a_session_that_was_over_by_itself_is_told_of_no_more(token, now):
    now.shift(settings.session_lifetime)
    with transaction():
        browser.end(token)
    assert db.session.query(LogoutNotice).count() == 0


def test_whoever_takes_none_is_asked_again_after_ever_longer_but_at_most_an_hour(notice, now):
    pauses = []
    for _attempt in range(14):
        leased = logout_notices.lease(NOBODY)
        with transaction():
            logout_notices.postpone(leased)
        db.session.expire_all()
        pauses.append(
            int((db.session.query(LogoutNotice).one().due_at - clock.now()).total_seconds())
        )
        now.shift(pauses[-1])
    assert pauses == [*(5 * 2**number for number in range(10)), *[3600] * 4]
