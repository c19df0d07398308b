"""However tries come, the table counts them as a few lines of Python would."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from idp import clock
from idp.extensions import transaction
from idp.security import throttle
from idp.security.throttle import Backoff, Budget, Throttle

START = "2026-01-01T12:00:00Z"
BUCKETS = (
    Budget("three in a minute", 3, timedelta(minutes=1)),
    Budget("two in an hour", 2, timedelta(hours=1)),
    Budget("three, a minute apart", 3, timedelta(minutes=1), from_last=True),
    Backoff("one free", 1, timedelta(seconds=30)),
    Backoff("two free", 2, timedelta(seconds=5), timedelta(minutes=1)),
    Backoff("shared", 4, timedelta(seconds=30), timedelta(minutes=2), from_first=True),
)
SOME = st.sets(st.sampled_from(BUCKETS), min_size=1)
ACTS = st.one_of(
    st.tuples(st.just("reserve"), SOME),
    st.tuples(st.just("clear"), SOME),
    st.tuples(st.just("give back"), SOME),
    st.tuples(st.just("wait"), st.sampled_from([1, 2, 5, 30, 61, 121])),
)


@dataclass
class Row:
    """What the bucket holds, written as one thinks it."""

    count: int
    opens: datetime
    ends: datetime


class Model:
    """The throttle as a dictionary."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}

    def shut(self, bucket) -> timedelta | None:
        row, now = self.rows.get(bucket.key), clock.now()
        if row is None or row.ends <= now:
            return None
        if isinstance(bucket, Budget):
            return row.ends - now if row.count >= bucket.limit else None
        return row.opens - now if row.count >= bucket.free and row.opens > now else None

    def reserve(self, buckets) -> timedelta | None:
        waits = [wait for wait in map(self.shut, buckets) if wait is not None]
        for bucket in buckets:
            self.take(bucket) if not waits else self.touch(bucket)
        return max(waits, default=None)

    def take(self, bucket) -> None:
        row, now = self.rows.get(bucket.key), clock.now()
        budget = isinstance(bucket, Budget)
        renewed = bucket.from_last if budget else not bucket.from_first
        window = bucket.per if isinstance(bucket, Budget) else bucket.memory
        if row is None or row.ends <= now:
            row = self.rows[bucket.key] = Row(0, now, now + window)
        row.count += 1
        row.ends = now + window if renewed else row.ends
        if isinstance(bucket, Backoff):
            over = row.count - bucket.free
            wait = timedelta(seconds=2**over) if over >= 0 else timedelta()
            row.opens = now + min(wait, bucket.longest)

    def touch(self, bucket) -> None:
        """A try that another bucket refuses leaves no count behind, only a fresh memory."""
        if self.shut(bucket) is None:
            self.take(bucket)
            self.give_back(bucket)

    def give_back(self, bucket) -> None:
        row = self.rows.get(bucket.key)
        if row and row.count > 0:
            row.count, row.opens = row.count - 1, clock.now()

    def act(self, what, argument) -> timedelta | None:
        if what == "reserve":
            return self.reserve(argument)
        for bucket in argument:
            if what == "clear":
                self.rows.pop(bucket.key, None)
            else:
                self.give_back(bucket)
        return None


def act(what, argument):
    with transaction():
        if what == "reserve":
            return throttle.reserve(*argument)
        if what == "clear":
            return throttle.clear(*argument)
        return throttle.clear(back=argument)


@pytest.mark.usefixtures("app")
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(acts=st.lists(ACTS, max_size=40))
def test_the_table_does_what_the_model_does(acts):
    with transaction():
        throttle.db.session.execute(delete(Throttle))
    model = Model()
    with time_machine.travel(START, tick=False) as now:
        for what, argument in acts:
            if what == "wait":
                now.shift(argument)
            else:
                assert act(what, argument) == model.act(what, argument), (what, argument)


@pytest.mark.usefixtures("app")
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(tries=st.lists(SOME, min_size=1, max_size=30))
def test_never_more_than_is_free_is_granted_in_one_moment(tries):
    with transaction():
        throttle.db.session.execute(delete(Throttle))
    granted = dict.fromkeys(BUCKETS, 0)
    with time_machine.travel(START, tick=False):
        for asked in tries:
            if act("reserve", asked) is None:
                for bucket in asked:
                    granted[bucket] += 1
    for bucket, count in granted.items():
        assert count <= (bucket.limit if isinstance(bucket, Budget) else bucket.free), bucket
