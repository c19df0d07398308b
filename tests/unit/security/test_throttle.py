"""Tries are reserved in the database before anything is compared (DESIGN 4)."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine

from idp.extensions import db, transaction
from idp.security import throttle
from idp.security.throttle import Backoff, Budget
from tests.support.statements import counted
from tests.support.together import together

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
def test_no_span_has_more_than_a_budget_that_is_remembered_from_the_last_try():
    budget = Budget("b", 3, timedelta(minutes=15), from_last=True)
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False) as clock:
        assert take(budget) is None
        clock.shift(timedelta(minutes=14, seconds=59))
        assert [take(budget) for _ in range(3)] == [None, None, timedelta(minutes=15)]
        clock.shift(timedelta(seconds=1))
        assert take(budget) == timedelta(minutes=14, seconds=59)
        clock.shift(timedelta(minutes=14, seconds=59))
        assert [take(budget) for _ in range(3)] == [None] * 3


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
def test_each_of_several_waits_no_longer_than_its_own_longest():
    short, long = (
        Backoff("short", 1, timedelta(seconds=3)),
        Backoff("long", 1, timedelta(seconds=30)),
    )
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False) as clock:
        for _ in range(3):
            assert take(short, long) is None
            clock.shift(30)
        take(short, long)
        assert (take(short), take(long)) == (timedelta(seconds=3), timedelta(seconds=8))


@pytest.mark.usefixtures("app")
def test_who_has_fewer_free_tries_than_were_taken_is_shut_out_from_the_next_on():
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False):
        assert [take(BACKOFF) for _ in range(3)] == [None] * 3
        fewer = Backoff(BACKOFF.key, 2, BACKOFF.longest)
        assert [take(fewer), take(fewer)] == [None, timedelta(seconds=4)]


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


def first():
    with transaction():
        return throttle.once("o", timedelta(minutes=15))


@pytest.mark.usefixtures("app")
def test_only_the_first_is_told_so_until_the_time_is_over():
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False) as clock:
        assert [first() for _ in range(3)] == [True, False, False]
        clock.shift(timedelta(minutes=14))
        assert not first()
        clock.shift(timedelta(minutes=1))
        assert [first() for _ in range(2)] == [True, False]
        assert take(Budget("o", 1, timedelta(minutes=15))) == timedelta(minutes=15)


def test_of_many_at_the_same_moment_one_is_the_first(app):
    def one(_):
        with app.app_context():
            return first()

    assert sum(together(8, one)) == 1


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


MANY = (BUDGET, BACKOFF, Budget("c", 9, timedelta(hours=1)), Backoff("d", 9, timedelta(seconds=30)))


@pytest.mark.usefixtures("app")
def test_any_number_of_buckets_is_taken_in_one_statement():
    for number in (1, 2, len(MANY)):
        with counted() as statements:
            assert take(*MANY[:number]) is None
        assert len(statements) == 1, statements


@pytest.mark.usefixtures("app")
def test_any_number_of_buckets_is_let_go_in_one_statement():
    take(*MANY)
    with counted() as statements, transaction():
        throttle.clear(*MANY[:2], back=MANY[2:])
    assert len(statements) == 1, statements
    assert throttle.spent(BUDGET) == throttle.spent(MANY[2]) == 0


@pytest.mark.usefixtures("app")
def test_a_refusal_costs_three_statements_and_tells_the_longest_wait():
    day, hour = Budget("day", 1, timedelta(days=1)), Budget("hour", 1, timedelta(hours=1))
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False):
        take(day, hour)
        with counted() as statements:
            assert take(*MANY, day, hour) == timedelta(days=1)
    assert len(statements) == 3, statements


@pytest.mark.usefixtures("app")
def test_each_bucket_that_refuses_is_named():
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False):
        day, hour = Budget("day", 1, timedelta(days=1)), Budget("hour", 1, timedelta(hours=1))
        take(day, hour)
        with transaction():
            refused = throttle.reserve_each(BUDGET, hour, day)
        assert refused == {"day": timedelta(days=1), "hour": timedelta(hours=1)}


@pytest.mark.usefixtures("app")
def test_the_same_bucket_asked_for_twice_is_one_try():
    assert take(BUDGET, BUDGET) is None
    assert throttle.spent(BUDGET) == 1


@pytest.mark.usefixtures("app")
def test_a_success_gives_shared_buckets_back_what_it_took_and_no_more():
    shared = Budget("network", 9, timedelta(hours=1))
    for _ in range(4):
        take(BUDGET, shared)
        with transaction():
            throttle.clear(BUDGET, back=[shared])
        take(shared)
    assert throttle.spent(BUDGET) == 0
    assert throttle.spent(shared) == 4


@pytest.mark.usefixtures("app")
def test_what_many_share_is_forgotten_after_its_window_however_often_it_is_tried():
    shared = Backoff("s", 2, timedelta(seconds=30), timedelta(minutes=10), from_first=True)
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False) as now:
        for _ in range(5):
            take(shared)
            now.shift(119)
        assert take(shared) is None, "9:55 after the first, and long since the last"
        assert take(shared) is not None
        now.shift(5)
        assert [take(shared), take(shared)] == [None, None], "a new window"


ROUNDS = 12


def test_nobody_waits_for_somebody_who_waits_for_them_and_no_count_is_lost(app):
    """Rows are locked in one order, whatever the order they are asked in, and purged besides."""
    buckets = [Budget(f"b{number}", 10_000, timedelta(hours=1)) for number in range(6)]
    dying = [Budget(f"old {n}", 10_000, timedelta(milliseconds=5)) for n in range(6)]

    def one(number):
        mixed = random.Random(number)
        with app.app_context():
            for _ in range(ROUNDS):
                assert take(*mixed.sample([*buckets, *dying], k=12)) is None
                with transaction():
                    throttle.clear(back=mixed.sample(buckets, k=3) if number % 2 else [])
                    throttle.purge(3)
        return number

    assert together(8, one) == list(range(8))
    total = sum(throttle.spent(bucket) for bucket in buckets)
    assert total == 8 * ROUNDS * 6 - 4 * ROUNDS * 3
