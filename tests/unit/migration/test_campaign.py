"""When old identifiers are accepted: dates by source, pauses by source or of the whole door."""

from datetime import UTC, date, datetime, timedelta

import pytest

from idp.legacy.source import SourceOptions
from idp.migration.campaign import WHOLE_DOOR, DoorState, Pause, door_of

NOW = datetime(2027, 3, 10, 12, tzinfo=UTC)
TODAY = NOW.date()
DAY = timedelta(days=1)


def source(name="one", opens=None, closes=None):
    return SourceOptions(name=name, type="sql", opens=opens, closes=closes)


def paused(name, until=None):
    return {name: Pause(name, NOW, until, "moving", "os:root")}


@pytest.mark.parametrize(
    ("opens", "closes", "state"),
    [
        (None, None, DoorState.OPEN),
        (TODAY, TODAY, DoorState.OPEN),
        (TODAY + DAY, None, DoorState.NOT_YET),
        (None, TODAY - DAY, DoorState.CLOSED),
        (TODAY - DAY, TODAY + DAY, DoorState.OPEN),
    ],
)
def test_first_and_last_day_are_included(opens, closes, state):
    assert door_of([source(opens=opens, closes=closes)], {}, NOW).state is state


def test_a_whole_pause_shuts_every_source_and_says_until_when():
    sources = [source("one"), source("two", opens=TODAY + DAY)]
    door = door_of(sources, paused(WHOLE_DOOR, NOW + DAY), NOW)
    assert (door.state, door.until) == (DoorState.PAUSED, NOW + DAY)
    assert door.shut == {"one", "two"}
    assert not door.open


def test_an_end_that_has_passed_is_not_promised_any_longer_and_opens_nothing():
    door = door_of([source()], paused(WHOLE_DOOR, NOW - DAY), NOW)
    assert (door.state, door.until) == (DoorState.PAUSED, None)


def test_one_source_of_two_is_shut_alone():
    door = door_of([source("one"), source("two")], paused("two"), NOW)
    assert (door.state, door.shut) == (DoorState.PARTLY, {"two"})
    assert door.open


def test_all_shut_says_what_there_is_to_hope_for():
    closed, later = source("one", closes=TODAY - DAY), source("two", opens=TODAY + 2 * DAY)
    soon = source("three", opens=TODAY + DAY)
    assert door_of([closed, later, soon], {}, NOW).day == TODAY + DAY
    assert door_of([closed, source("four")], paused("four", NOW + DAY), NOW).until == NOW + DAY
    last = door_of([closed, source("five", closes=date(2027, 1, 31))], {}, NOW)
    assert (last.state, last.day) == (DoorState.CLOSED, TODAY - DAY)


def test_a_pause_of_a_closed_source_or_of_one_that_is_gone_promises_nothing():
    closed = source("one", closes=TODAY - DAY)
    assert door_of([closed], paused("one", NOW + DAY), NOW).state is DoorState.CLOSED
    assert door_of([source("one")], paused("gone"), NOW).state is DoorState.OPEN
