"""The door of the campaign: whether old identifiers are accepted now, and what to say when they are not.

Read from the database at every sign-in, so that a pause counts at once and on every node.
"""

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from babel.dates import get_timezone
from sqlalchemy import delete, select

from idp import clock
from idp.audit import events
from idp.extensions import affected, db, settings, upsert
from idp.legacy import registry
from idp.legacy.source import SourceOptions
from idp.migration.models import CampaignPause

WHOLE_DOOR = ""
"""The name of a pause of every source."""


class DoorState(enum.Enum):
    """PARTLY: some old identifiers are accepted and others are not."""

    OPEN = "open"
    PARTLY = "partly"
    PAUSED = "paused"
    NOT_YET = "not-yet"
    CLOSED = "closed"


@dataclass(frozen=True)
class Door:
    """`until`: when it opens again, if somebody said so; `day`: when it opens for the first time, or the last
    day on which it was open. `shut`: the sources that may not be asked."""

    state: DoorState
    until: datetime | None = None
    day: date | None = None
    shut: frozenset[str] = frozenset()

    @property
    def open(self) -> bool:
        """Whether any source may be asked."""
        return self.state in {DoorState.OPEN, DoorState.PARTLY}


OPEN = Door(DoorState.OPEN)


@dataclass(frozen=True)
class Pause:
    """Who paused what, since when, until when, and why; `source` is empty for the whole door."""

    source: str
    paused_at: datetime
    until: datetime | None
    reason: str
    actor: str


def door() -> Door:
    """How the door stands now. One statement; none without sources."""
    sources = [source.options for source in registry.current().sources]
    if not sources:
        return OPEN
    return door_of(sources, pauses(), here())


def here() -> datetime:
    """Now, by the deployment's clock."""
    return clock.now().astimezone(get_timezone(settings.timezone))


def lasts(until: date | None) -> bool:
    """Whether a day is not over yet, by the deployment's clock; None: there is none."""
    return until is not None and here().date() <= until


def door_of(sources: Iterable[SourceOptions], paused: Mapping[str, Pause], now: datetime) -> Door:
    """The same, of what it follows from. `now` is by the deployment's clock: its days are whole days there."""
    options = list(sources)
    names = frozenset(one.name for one in options)
    if WHOLE_DOOR in paused:
        return Door(DoorState.PAUSED, until=_ahead(paused[WHOLE_DOOR].until, now), shut=names)
    today = now.date()
    states = {one.name: _state(one, paused, today) for one in options}
    shut = frozenset(name for name, state in states.items() if state is not DoorState.OPEN)
    if shut != names:
        return Door(DoorState.PARTLY if shut else DoorState.OPEN, shut=shut)
    return _all_shut(options, states, paused, now)


def _all_shut(
    options: list[SourceOptions],
    states: Mapping[str, DoorState],
    paused: Mapping[str, Pause],
    now: datetime,
) -> Door:
    """The hope that is left: a pause ends, a first day comes; what has closed stays closed."""
    names = frozenset(states)
    if DoorState.PAUSED in states.values():
        ends = [_ahead(paused[name].until, now) for name in states if name in paused]
        known = [end for end in ends if end is not None]
        return Door(DoorState.PAUSED, until=min(known) if known else None, shut=names)
    if DoorState.NOT_YET in states.values():
        first = min(one.opens for one in options if one.opens and one.opens > now.date())
        return Door(DoorState.NOT_YET, day=first, shut=names)
    return Door(DoorState.CLOSED, day=max(one.closes for one in options if one.closes), shut=names)


def _state(options: SourceOptions, paused: Mapping[str, Pause], today: date) -> DoorState:
    if options.closes and today > options.closes:
        return DoorState.CLOSED
    if options.name in paused:
        return DoorState.PAUSED
    return DoorState.NOT_YET if options.opens and today < options.opens else DoorState.OPEN


def _ahead(moment: datetime | None, now: datetime) -> datetime | None:
    """A moment that was promised and has passed is not promised any longer."""
    return moment if moment and moment > now else None


def pauses() -> dict[str, Pause]:
    """Every pause, by source."""
    rows = db.session.scalars(select(CampaignPause)).all()
    names = Pause.__dataclass_fields__
    return {row.source: Pause(**{name: getattr(row, name) for name in names}) for row in rows}


def pause(source: str, *, reason: str, actor: str, until: datetime | None = None) -> None:
    """Refuse the old identifiers of a source, or of all ("") . Runs in the caller's transaction."""
    values = {
        "reason": reason[:200],
        "actor": actor[:100],
        "until": until,
        "paused_at": clock.now(),
    }
    statement = upsert(CampaignPause).values(source=source, **values)
    db.session.execute(statement.on_conflict_do_update(index_elements=["source"], set_=values))
    events.campaign_paused(source=source or "all", why=reason, actor=actor)


def resume(source: str, *, reason: str, actor: str) -> bool:
    """Accept them again; False when they were not paused. Runs in the caller's transaction."""
    if not affected(delete(CampaignPause).where(CampaignPause.source == source)):
        return False
    events.campaign_resumed(source=source or "all", why=reason, actor=actor)
    return True
