"""A campaign's figures as they might be, with names that nobody should write into a page."""

from datetime import UTC, date, datetime, timedelta

from idp.migration import figures
from idp.migration.figures import Counts, Day, Part, Report

HOSTILE = '"><script>alert(1)</script><b x="'
AT = datetime(2027, 3, 31, 14, 5, tzinfo=UTC)


def counts(source: str, group: str, started: int) -> Counts:
    """Counts that fall from step to step."""
    code, proven, confirmed = started * 90 // 100, started * 80 // 100, started * 79 // 100
    phone, done = started * 75 // 100, started * 72 // 100
    return Counts(
        source,
        group,
        started=started,
        code_sent=code,
        proven=proven,
        confirmed=confirmed,
        phone=phone,
        done=done,
        refused=done // 3,
        conflicts=started // 90,
        abandoned=started // 12,
    )


def example() -> Report:
    """Two sources, one of them with groups; sixty days; a pause; an end that comes too late."""
    groups = tuple(counts("portail", word, n) for word, n in (("", 90), ("GE", 4100), ("VD", 9300)))
    days = [
        Day(date(2027, 1, 31) + timedelta(n), 420 - n * 5 % 290, 300 - n * 3 % 170)
        for n in range(60)
    ]
    parts = (
        _part("portail", groups, 24_000),
        _part(f"guichet{HOSTILE}", (counts("guichet", HOSTILE, 320),), None),
    )
    whole = figures.total(part.counts for part in parts)
    forecast = figures.forecast(
        known=26_000, done=whole.done, lately=2_100, first=date(2027, 1, 31), today=AT.date()
    )
    closes, median = date(2027, 5, 31), timedelta(minutes=7, seconds=12)
    total = Part(whole, 26_000, median, forecast, closes)
    return Report(AT, total, parts, tuple(days), {f"guichet{HOSTILE}": AT - timedelta(hours=3)})


def _part(name: str, groups: tuple[Counts, ...], known: int | None) -> Part:
    summed = figures.total(groups, name)
    forecast = figures.forecast(
        known=known, done=summed.done, lately=1_000, first=date(2027, 1, 31), today=AT.date()
    )
    return Part(summed, known, timedelta(minutes=6), forecast, date(2027, 5, 31), groups)
