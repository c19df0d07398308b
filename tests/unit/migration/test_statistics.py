"""The campaign's figures: what the database counts is what there is, however many cases there are."""

import resource
import time
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine

from idp import housekeeping
from idp.migration import figures, statistics
from idp.migration.figures import Counts, Day, NoForecast
from idp.migration.funnel import STEPS
from tests.support.campaign import came_to, fill
from tests.support.statements import counted

NOW = datetime(2027, 3, 31, 12, tzinfo=UTC)
TODAY = NOW.date()
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def now(app):
    with time_machine.travel(NOW, tick=False) as now:
        yield now


@pytest.fixture
def countable(app, monkeypatch):
    """Lets the source say how many it holds."""

    def hold(number):
        (source,) = app.extensions["seuil.legacy"].sources
        monkeypatch.setattr(type(source), "listed", True, raising=False)
        monkeypatch.setattr(type(source), "count", lambda _self: number, raising=False)

    return hold


def counts(part):
    return {name: getattr(part.counts, name) for name in (*STEPS, "refused", "abandoned")}


def test_nothing_yet_is_a_report_too(app):
    report = statistics.report()
    (part,) = report.parts
    assert (part.counts, part.known, part.median) == (Counts("portail"), None, None)
    assert (report.days, report.whole.counts.started) == ((), 0)
    assert report.whole.forecast.why_not is NoForecast.UNKNOWN


def test_each_step_counts_those_who_came_to_it_or_further(app):
    fill([came_to(step, NOW - DAY) for step in (0, 1, 1, 2, 3, 4, 5, 5)])
    found = counts(statistics.report().whole)
    assert [found[name] for name in STEPS] == [8, 7, 5, 4, 3, 2]
    assert statistics.report().whole.counts.waiting == 6


def test_who_is_done_without_a_phone_step_or_by_an_older_version_has_passed_every_step(app):
    old = came_to(0, NOW - DAY, completed_at=NOW)
    fill([came_to(5, NOW - DAY, phone_settled_at=None), old])
    found = counts(statistics.report().whole)
    assert {found[name] for name in STEPS} == {2}


def test_groups_are_counted_apart_and_sources_too(app):
    fill([came_to(5, NOW - DAY, group_name=word) for word in ("VD", "VD", "GE", None)])
    fill([came_to(1, NOW - DAY)], source="guichet")
    guichet, portail = statistics.report().parts
    assert [(one.group, one.done) for one in portail.groups] == [("", 1), ("GE", 1), ("VD", 2)]
    assert (portail.counts.done, guichet.counts.done, guichet.groups) == (4, 0, ())
    assert guichet.known is None, "the file does not name it any more"


def test_a_purge_changes_no_total(app, now):
    began = NOW - 2 * DAY
    fill(
        [
            came_to(3, began, expires_at=NOW - DAY, group_name="VD"),
            came_to(5, began),
            came_to(1, began),
        ]
    )
    before = counts(statistics.report().whole)
    assert housekeeping.purge()["migration_case"] == 1
    after = counts(statistics.report().whole)
    assert after == before | {"abandoned": 1}
    assert statistics.report().whole.counts.waiting == 1


def test_the_median_is_the_middle_of_all_and_of_each_source(app):
    fill([came_to(5, NOW - DAY, minutes) for minutes in (1, 2, 100)])
    fill([came_to(5, NOW - DAY, minutes) for minutes in (3, 4)] + [came_to(2, NOW)], source="b")
    report = statistics.report()
    assert [part.median for part in report.parts] == [timedelta(minutes=15), timedelta(minutes=10)]
    assert report.whole.median == timedelta(minutes=15)


def test_days_run_from_the_first_in_sight_to_today_without_gaps(app):
    fill([came_to(5, NOW - 3 * DAY), came_to(5, NOW - 70 * DAY), came_to(1, NOW - DAY)])
    assert statistics.report().days == (
        *(Day(TODAY - 3 * DAY, 1, 1), Day(TODAY - 2 * DAY, 0, 0)),
        *(Day(TODAY - DAY, 1, 0), Day(TODAY, 0, 0)),
    )


def test_the_end_follows_from_the_pace_of_the_last_fourteen_days(app, countable):
    countable(100)
    fill([came_to(5, NOW - n * DAY) for n in (*range(1, 15), 20, 20)])
    forecast = statistics.report().whole.forecast
    assert (forecast.pace, forecast.remaining) == (1.0, 84)
    assert forecast.ends == TODAY + 84 * DAY


def test_newcomers_and_sources_that_are_gone_move_no_end(app, countable):
    countable(100)
    for source in ("portail", "invitation", "gone"):
        fill([came_to(5, NOW - n * DAY) for n in range(1, 15)], source)
    report = statistics.report()
    assert (report.whole.counts.done, report.whole.known) == (42, 100)
    assert (report.whole.forecast.pace, report.whole.forecast.remaining) == (1.0, 86)


def test_today_is_not_over_and_counts_for_no_pace(app, countable):
    countable(100)
    fill([came_to(5, NOW - 20 * DAY), *(came_to(5, NOW - timedelta(hours=n)) for n in range(1, 9))])
    assert statistics.report().whole.forecast.why_not is NoForecast.STILL


@pytest.mark.parametrize(
    ("known", "done", "lately", "first", "why_not"),
    [
        (None, 5, 5, TODAY - 30 * DAY, NoForecast.UNKNOWN),
        (100, 5, 5, TODAY - 2 * DAY, NoForecast.EARLY),
        (100, 0, 0, None, NoForecast.EARLY),
        (100, 5, 0, TODAY - 30 * DAY, NoForecast.STILL),
        (5, 5, 5, TODAY - 30 * DAY, NoForecast.OVER),
        (4, 5, 5, TODAY - 30 * DAY, NoForecast.UNKNOWN),
        (0, 5, 5, TODAY - 30 * DAY, NoForecast.UNKNOWN),
    ],
)
def test_a_forecast_says_why_there_is_none(known, done, lately, first, why_not):
    found = figures.forecast(known=known, done=done, lately=lately, first=first, today=TODAY)
    assert (found.why_not, found.ends) == (why_not, None)


def test_a_forecast_beyond_the_calendar_ends_with_it():
    found = figures.forecast(known=10**12, done=1, lately=1, first=TODAY - 30 * DAY, today=TODAY)
    assert found.ends == date.max


def test_drop_off_is_told_of_all_and_of_the_step_before():
    counts = Counts("one", started=200, code_sent=100, proven=90, confirmed=90, phone=45, done=45)
    found = {step.name: step for step in figures.steps(counts, STEPS)}
    assert (found["started"].share, found["started"].lost) == (100.0, 0)
    assert (found["code_sent"].share, found["code_sent"].lost_share) == (50.0, 50.0)
    assert (found["proven"].share, found["proven"].lost, found["proven"].lost_share) == (
        45.0,
        10,
        10.0,
    )
    assert figures.steps(Counts("none"), STEPS)[-1].share == 0.0


def test_many_thousand_cases_cost_as_many_statements_as_one_and_no_memory(app, engine):
    """What is measured of a million is in docs/migration.md."""
    number = 30_000 if engine == "sqlite" else 10_000
    fill([came_to(5, NOW - DAY)])
    with counted() as few:
        statistics.report()
    fill([came_to(n % 6, NOW - (n % 50) * DAY, n % 97) for n in range(number)], source="b")
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    with counted() as many:
        report = statistics.report()
    assert len(few) == len(many) <= 11, many
    assert report.whole.counts.started == number + 1
    assert time.monotonic() - began < 2
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 15_000
