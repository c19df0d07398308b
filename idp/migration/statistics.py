"""Reading the campaign's figures: counted by the database, a few statements however many cases there are."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any, cast

import structlog
from sqlalchemy import ColumnElement, Connection, Date, Select, func, literal, select
from sqlalchemy.exc import SQLAlchemyError

from idp import clock
from idp.extensions import db, snapshot
from idp.legacy import registry
from idp.legacy.identity import LegacyIdentity
from idp.legacy.source import LegacySource, listable
from idp.migration import campaign, doors, figures, funnel
from idp.migration.figures import PACE_DAYS, Counts, Day, Part, Report
from idp.migration.models import CampaignDay, MigrationCase

_log = structlog.get_logger("seuil.campaign")

_CHART_DAYS = 60
_CASES = MigrationCase.__table__.join(LegacyIdentity.__table__)
_Days = dict[str, dict[date, int]]
"""Of each source, how many on which day."""


def report() -> Report:
    """The whole campaign now; sources that the file names, and others that left cases behind."""
    sources = {source.options.name: source for source in registry.current().sources}
    with snapshot() as connection:
        counts = _counts(connection)
        firsts = _firsts(connection)
        medians = _medians(connection)
        started = _daily(connection, MigrationCase.created_at)
        done = _daily(connection, MigrationCase.completed_at)
    names = sorted({*sources, *counts})
    known = {name: _known(sources.get(name)) for name in names}
    open_doors = doors.open_doors()
    parts = tuple(
        _part(
            name,
            counts.get(name, []),
            known=known[name],
            median=medians.get(name),
            first=firsts.get(name),
            done=done.get(name, {}),
            closes=sources[name].options.closes if name in sources else None,
            open_doors=open_doors.get(name),
        )
        for name in names
    )
    paused = {name: pause.paused_at for name, pause in campaign.pauses().items()}
    whole = _whole(parts, medians.get(""), firsts, done, set(sources))
    over = [one.counts.source for one in parts if one.closes and not campaign.lasts(one.closes)]
    return Report(clock.now(), whole, parts, _days(started, done), paused, tuple(over))


def _whole(
    parts: tuple[Part, ...],
    median: timedelta | None,
    firsts: dict[str, date],
    done: _Days,
    sources: set[str],
) -> Part:
    """Newcomers, and people of sources that are gone, count as cases; the end is that of those who are left
    in the sources there are."""
    counts = figures.total(part.counts for part in parts)
    left = [part for part in parts if part.counts.source in sources]
    numbers = [part.known for part in left]
    known = None if None in numbers else sum(cast("list[int]", numbers))
    today = clock.now().date()
    forecast = figures.forecast(
        known=known if left else None,
        done=sum(part.counts.done for part in left),
        lately=sum(_lately(done.get(name, {}), today) for name in sources),
        first=min(firsts.values(), default=None),
        today=today,
    )
    closes = [part.closes for part in left]
    last = None if None in closes else max(cast("list[date]", closes), default=None)
    open_doors = _sum(part.open_doors for part in parts)
    known = known if left else None
    return Part(counts, known, median, forecast, last, open_doors=open_doors)


def _sum(numbers: Iterable[int | None]) -> int | None:
    """Of those that are known; None when none is."""
    known = [number for number in numbers if number is not None]
    return sum(known) if known else None


def _part(
    name: str,
    groups: list[Counts],
    *,
    known: int | None,
    median: timedelta | None,
    first: date | None,
    done: dict[date, int],
    closes: date | None,
    open_doors: int | None,
) -> Part:
    counts, today = figures.total(groups, name), clock.now().date()
    forecast = figures.forecast(
        known=known, done=counts.done, lately=_lately(done, today), first=first, today=today
    )
    named = tuple(groups) if any(one.group for one in groups) else ()
    return Part(counts, known, median, forecast, closes, named, open_doors)


def _lately(done: dict[date, int], today: date) -> int:
    return sum(n for day, n in done.items() if today - timedelta(days=PACE_DAYS) <= day < today)


def _known(source: LegacySource | None) -> int | None:
    """How many people a source holds: counted, or as the file says."""
    if source is None:
        return None
    rows = listable(source)
    if rows is None:
        return source.options.known
    try:
        return rows.count()
    except SQLAlchemyError as error:
        name = source.options.name
        _log.warning("source_not_counted", source=name, error=type(error).__name__)
        return source.options.known


def _counts(connection: Connection) -> dict[str, list[Counts]]:
    """Of each source, its groups: the cases that are there, and the counters of those that are gone."""
    source, group = LegacyIdentity.source, func.coalesce(MigrationCase.group_name, "")
    living = select(source, group.label("group"), *funnel.counting()).select_from(_CASES)
    gone = select(
        CampaignDay.source,
        CampaignDay.group_name.label("group"),
        *(func.sum(getattr(CampaignDay, name)).label(name) for name in funnel.COUNTS),
    )
    found: dict[tuple[str, str], list[Counts]] = defaultdict(list)
    for statement in (
        living.group_by(source, group),
        gone.group_by(CampaignDay.source, CampaignDay.group_name),
    ):
        for row in connection.execute(statement).mappings():
            values = {name: int(row.get(name, 0)) for name in funnel.COUNTS}
            found[row["source"], row["group"]].append(Counts("", "", **values))
    by_source: dict[str, list[Counts]] = defaultdict(list)
    for (name, word), both in sorted(found.items()):
        summed = figures.total(both, name)
        by_source[name].append(Counts(**{**vars(summed), "group": word}))
    return by_source


def _firsts(connection: Connection) -> dict[str, date]:
    """The first day of each source."""
    day, source = _day(MigrationCase.created_at), LegacyIdentity.source
    living = select(source, func.min(day).label("day")).select_from(_CASES).group_by(source)
    gone = select(CampaignDay.source, func.min(CampaignDay.day).label("day"))
    found: dict[str, date] = {}
    for statement in (living, gone.group_by(CampaignDay.source)):
        for row in connection.execute(statement):
            first = date.fromisoformat(str(row.day))
            found[row.source] = min(first, found.get(row.source, first))
    return found


def _daily(connection: Connection, moment: Any) -> _Days:
    since = clock.now() - timedelta(days=_CHART_DAYS)
    day, source = _day(moment), LegacyIdentity.source
    statement = select(source, day.label("day"), func.count().label("number")).select_from(_CASES)
    found: _Days = defaultdict(dict)
    for row in connection.execute(statement.where(moment >= since).group_by(source, day)):
        found[row.source][date.fromisoformat(str(row.day))] = row.number
    return found


def _days(started: _Days, done: _Days) -> tuple[Day, ...]:
    """Every day from the first one in sight to today."""
    seen = [day for days in (*started.values(), *done.values()) for day in days]
    if not seen:
        return ()
    first, today = min(seen), clock.now().date()
    all_days = [first + timedelta(days=n) for n in range((today - first).days + 1)]
    return tuple(Day(day, _on(day, started), _on(day, done)) for day in all_days)


def _on(day: date, days: _Days) -> int:
    return sum(of_source.get(day, 0) for of_source in days.values())


def _medians(connection: Connection) -> dict[str, timedelta]:
    """From start to done, of each source and (under "") of all."""
    seconds = _seconds(MigrationCase.created_at, MigrationCase.completed_at).label("seconds")
    times = select(LegacyIdentity.source, seconds).select_from(_CASES)
    completed = times.where(MigrationCase.completed_at.is_not(None)).subquery()
    found: dict[str, timedelta] = {}
    for by in (None, completed.c.source):
        for row in connection.execute(_middle(completed, by)):
            found[row.name] = timedelta(seconds=round(float(row.seconds)))
    return found


def _middle(times: Any, by: Any) -> Select[Any]:
    """The middle row of each part, the lower one of two."""
    place = func.row_number().over(partition_by=by, order_by=times.c.seconds).label("place")
    number = func.count().over(partition_by=by).label("number")
    name = (literal("") if by is None else by).label("name")
    placed = select(name, times.c.seconds, place, number).subquery()
    middle = (placed.c.number + 1) // 2
    return select(placed.c.name, placed.c.seconds).where(placed.c.place == middle)


def _seconds(since: Any, until: Any) -> ColumnElement[float]:
    if db.engine.dialect.name == "postgresql":
        return cast("ColumnElement[float]", func.extract("epoch", until - since))
    return (func.julianday(until) - func.julianday(since)) * 86400


def _day(moment: Any) -> ColumnElement[Any]:
    """The day of a moment, UTC."""
    if db.engine.dialect.name == "postgresql":
        return func.date(func.timezone("UTC", moment), type_=Date)
    return func.date(moment)
