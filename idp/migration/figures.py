"""The campaign in figures: values and what follows from them. Pure; nothing here reads anything."""

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

PACE_DAYS = 14
"""The present pace is that of so many days, today left out: it is not over."""
_FIRST_DAYS = 3
"""Before that a pace means nothing."""


@dataclass(frozen=True)
class Counts:
    """Cases of one source (and one group): how many came to each step, in words of `funnel`."""

    source: str
    group: str = ""
    started: int = 0
    code_sent: int = 0
    proven: int = 0
    confirmed: int = 0
    phone: int = 0
    done: int = 0
    refused: int = 0
    conflicts: int = 0
    abandoned: int = 0

    @property
    def waiting(self) -> int:
        """Begun, not finished, and still kept."""
        return self.started - self.done - self.abandoned


@dataclass(frozen=True)
class Step:
    """`share` of all who started, `lost` since the step before; shares in percent."""

    name: str
    reached: int
    share: float
    lost: int
    lost_share: float


class NoForecast(enum.StrEnum):
    """Why nobody can say when it ends."""

    UNKNOWN = "unknown"
    EARLY = "early"
    STILL = "still"
    OVER = "over"


@dataclass(frozen=True)
class Forecast:
    """`ends` at the present pace (people a day), or why that cannot be said."""

    pace: float
    remaining: int | None
    ends: date | None = None
    why_not: NoForecast | None = None


@dataclass(frozen=True)
class Part:
    """One source, or the whole campaign (`source` is empty). `open_doors`: so many who are done might still be
    let in over there; None where there is no door to look at."""

    counts: Counts
    known: int | None
    median: timedelta | None
    forecast: Forecast
    closes: date | None = None
    groups: tuple[Counts, ...] = ()
    open_doors: int | None = None

    @property
    def late(self) -> bool:
        """At this pace the last come after the last day."""
        ends = self.forecast.ends
        return bool(ends and self.closes and ends > self.closes)


@dataclass(frozen=True)
class Day:
    """What happened on one day (UTC): migrations begun and finished."""

    day: date
    started: int
    done: int


@dataclass(frozen=True)
class Report:
    """The whole campaign at one moment. `closed`: the sources whose last day is over."""

    at: datetime
    whole: Part
    parts: tuple[Part, ...]
    days: tuple[Day, ...] = ()
    paused: Mapping[str, datetime] = field(default_factory=dict)
    closed: tuple[str, ...] = ()


def total(all_counts: Iterable[Counts], source: str = "") -> Counts:
    """The sum, under another name."""
    counts = list(all_counts)
    names = [name for name in Counts.__dataclass_fields__ if name not in {"source", "group"}]
    return Counts(source, **{name: sum(getattr(one, name) for one in counts) for name in names})


def steps(counts: Counts, names: Iterable[str]) -> list[Step]:
    """The drop-off: each step and what was lost on the way to it. Shares of nobody are zero."""
    found, before = [], counts.started
    for name in names:
        reached = getattr(counts, name)
        lost = before - reached
        found.append(
            Step(name, reached, _percent(reached, counts.started), lost, _percent(lost, before))
        )
        before = reached
    return found


def forecast(
    *, known: int | None, done: int, lately: int, first: date | None, today: date
) -> Forecast:
    """Linear: `lately` were done in the last `PACE_DAYS` days before today, or since the `first` one.

    Where fewer are known than are done, as after a copy was forgotten, nobody knows how many are left.
    """
    days = min(PACE_DAYS, (today - first).days) if first else 0
    pace = lately / days if days else 0.0
    remaining = known - done if known and known >= done else None
    if remaining is None:
        return Forecast(pace, None, why_not=NoForecast.UNKNOWN)
    if remaining == 0:
        return Forecast(pace, 0, why_not=NoForecast.OVER)
    if days < _FIRST_DAYS:
        return Forecast(pace, remaining, why_not=NoForecast.EARLY)
    if not pace:
        return Forecast(pace, remaining, why_not=NoForecast.STILL)
    return Forecast(pace, remaining, ends=_after(today, remaining / pace))


def _after(today: date, days: float) -> date:
    """So many days from today; the calendar ends before some forecasts do."""
    return today + timedelta(days=min(days, (date.max - today).days))


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 1) if whole else 0.0
