"""A browser session lives while it is used, young, not ended, and its account stands (AAL2)."""

from datetime import timedelta

import pytest
import time_machine

from idp import clock
from idp.accounts.account import AccountStatus
from idp.extensions import db, settings, transaction
from idp.sessions import browser
from idp.sessions.models import BrowserSession
from tests.support.accounts import make_account
from tests.support.portal import register
from tests.support.proofs import begin_session, change_account


@pytest.fixture
def now():
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False) as clock:
        yield clock


@pytest.fixture
def account(app, now) -> int:
    return make_account()


@pytest.fixture
def token(account) -> str:
    return begin_session(account)[1]


def touch(token):
    with transaction():
        browser.touch(browser.find(token))


def test_a_session_is_found_by_its_cookie_only(token, account):
    assert browser.find(token).account_id == account
    for other in (None, "", token[:-1], token.swapcase()):
        assert browser.find(other) is None


@pytest.mark.parametrize("change", [{"epoch": 2}, {"status": AccountStatus.FROZEN}], ids=str)
def test_a_session_of_an_account_that_changed_or_is_frozen_is_dead(token, account, change):
    change_account(account, **change)
    assert browser.find(token) is None


def test_an_ended_session_is_dead_and_no_other_is(token, account):
    other = begin_session(account, interaction_id="another")[1]
    with transaction():
        browser.end(token)
        browser.end(None)
    assert browser.find(token) is None
    assert browser.find(other) is not None


def test_a_session_ends_after_half_an_hour_of_silence(token, now):
    now.shift(settings.session_idle - timedelta(seconds=1))
    assert browser.find(token) is not None
    now.shift(timedelta(seconds=1))
    assert browser.find(token) is None


def test_a_session_in_use_ends_after_twelve_hours(token, now):
    turn = timedelta(minutes=20)
    for _ in range(settings.session_lifetime // turn - 1):
        now.shift(turn)
        touch(token)
    now.shift(turn - timedelta(seconds=1))
    assert browser.find(token) is not None
    now.shift(timedelta(seconds=1))
    assert browser.find(token) is None


def test_use_is_written_and_an_ended_session_cannot_be_used(token, now):
    session = browser.find(token)
    now.shift(timedelta(seconds=59))
    touch(token)
    db.session.expire_all()
    assert db.session.query(BrowserSession.seen_at).scalar() == clock.now()
    with transaction():
        browser.end(token)
    with transaction():
        assert not browser.touch(session)


def test_each_client_has_its_own_name_for_a_session(token, portal):
    other = register()
    session = browser.find(token)
    with transaction():
        mine, theirs, again = (
            browser.client_sid(session, client.row_id) for client in (portal, other, portal)
        )
    assert mine == again != theirs
    assert browser.knows(session, mine)
    assert browser.knows(session, theirs)
    assert not browser.knows(session, "another")


def test_a_client_knows_each_session_by_another_name(token, portal, account):
    first, second = browser.find(token), begin_session(account, interaction_id="another")[0]
    with transaction():
        names = [browser.client_sid(session, portal.row_id) for session in (first, second)]
    assert len(set(names)) == 2
    assert not browser.knows(second, names[0])
