"""Identities that nobody claimed are purged, and whoever comes in that moment is met again."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import text

from idp import clock
from idp.extensions import db, settings, transaction
from idp.legacy import identity
from idp.migration import cases
from tests.support.accounts import PROFILE, make_account


def meet(key="1"):
    with transaction():
        return identity.meet("portail", key).id


def purge():
    with transaction():
        return identity.purge(10)


@pytest.fixture
def later():
    """When unclaimed identities are over."""
    return clock.now() + settings.case_lifetime + timedelta(seconds=1)


def test_an_unclaimed_identity_goes_when_a_case_would(app, later):
    meet()
    assert purge() == 0
    with time_machine.travel(later):
        assert purge() == 1
    assert identity.find("portail", "1") is None


def test_a_claimed_identity_and_one_with_a_case_stay(app, later):
    claimed = meet("1")
    account = make_account()
    with transaction():
        identity.claim(claimed, account)
        cases.open_or_resume(cases.Known("portail", "2", PROFILE))
    with time_machine.travel(later):
        assert purge() == 0


def somebody_waits():
    """True when a connection waits for ours. SQLite lets nobody begin, which is waiting enough."""
    if db.engine.name == "sqlite":
        return True
    with db.engine.connect() as connection:
        waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        return bool(connection.execute(text(waits)).scalar())


def test_who_comes_while_an_identity_is_purged_is_met_again(app, later):
    meet()

    def come():
        with app.app_context(), transaction():
            return identity.meet_alone("portail", "1").id

    with ThreadPoolExecutor(1) as pool:
        with time_machine.travel(later, tick=False), transaction():
            assert identity.purge(10) == 1
            coming = pool.submit(come)
            end = time.monotonic() + 10
            while not somebody_waits() and time.monotonic() < end:
                time.sleep(0.01)
        after = coming.result(20)
    assert identity.find("portail", "1").id == after
