"""Tries are reserved in the database before anything is compared (DESIGN 4)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine

from idp.extensions import db, transaction
from idp.security import throttle
from idp.security.throttle import Backoff, Budget

BUDGET = Budget("b", 3, timedelta(minutes=15))
BACKOFF = Backoff("p", 5, timedelta(seconds=30))


def take(*buckets):
    with transaction():
        return throttle.reserve(*buckets)


@pytest.mark.usefixtures("app")
def test_a_budget_is_used_up_and_comes_back_after_its_window():
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False) as clock:
        assert [take(BUDGET) for _ in range(3)] == [None] * 3
        assert take(BUDGET) == timedelta(minutes=15)
        clock.shift(timedelta(minutes=14))
        assert take(BUDGET) == timedelta(minutes=1)
        clock.shift(timedelta(minutes=1))
        assert take(BUDGET) is None


@pytest.mark.usefixtures("app")
def test_the_wait_doubles_up_to_its_longest_and_never_becomes_a_lock():
    waits = []
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False) as clock:
        for _ in range(12):
            while (wait := take(BACKOFF)) is not None:
                waits.append(wait.total_seconds())
                clock.shift(wait)
    assert waits == [1, 2, 4, 8, 16, 30, 30]


@pytest.mark.usefixtures("app")
def test_a_refused_try_takes_nothing_from_the_other_buckets():
    full = Budget("full", 1, timedelta(hours=1))
    take(full)
    assert take(BUDGET, full) is not None
    assert throttle.spent(BUDGET) == 0


@pytest.mark.usefixtures("app")
def test_success_gives_everything_back():
    take(BUDGET)
    take(BUDGET)
    with transaction():
        throttle.clear(BUDGET)
    assert throttle.spent(BUDGET) == 0


@pytest.mark.usefixtures("app")
def test_the_table_names_nobody():
    take(Budget("password:jeanne@example.ch", 5, timedelta(hours=1)))
    rows = db.session.query(throttle.Throttle).all()
    assert len(rows) == 1
    assert "jeanne" not in rows[0].key


def test_tries_at_the_same_moment_are_all_counted(app):
    def one(_):
        with app.app_context():
            return take(BUDGET)

    with ThreadPoolExecutor(8) as pool:
        granted = [wait for wait in pool.map(one, range(40)) if wait is None]
    assert len(granted) == BUDGET.limit


@pytest.mark.usefixtures("app")
def test_purge_forgets_only_what_no_longer_counts():
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False) as clock:
        take(BUDGET)
        clock.shift(timedelta(minutes=10))
        take(Budget("young", 3, timedelta(minutes=15)))
        clock.shift(timedelta(minutes=6))
        with transaction():
            assert throttle.purge(100) == 1
        assert throttle.spent(Budget("young", 3, timedelta(minutes=15))) == 1
