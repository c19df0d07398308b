"""How far people came: the steps of a migration as figures, of cases that are there and of purged ones."""

from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, func, select

from idp import clock
from idp.extensions import db, settings, upsert
from idp.legacy.identity import LegacyIdentity
from idp.migration.models import CampaignDay, MigrationCase

_MOMENTS = {
    "code_sent": MigrationCase.code_sent_at,
    "proven": MigrationCase.mailbox_proven_at,
    "confirmed": MigrationCase.confirmed_at,
    "phone": MigrationCase.phone_settled_at,
    "done": MigrationCase.completed_at,
    "refused": MigrationCase.phone_refused_at,
    "conflicts": MigrationCase.conflict_at,
}
_PASSED_AT_THE_END = {"code_sent", "proven", "confirmed", "phone"}
STEPS = ("started", "code_sent", "proven", "confirmed", "phone", "done")
"""In the order of the journey. Whoever has come to one has passed those before."""
COUNTS = (*STEPS, "refused", "conflicts", "abandoned")

_Key = tuple[date, str, str]


def counting() -> list[ColumnElement[int]]:
    """Columns that count cases: `started`, then those of `_MOMENTS`, under their names."""
    reached = [func.count(_reached(name)).label(name) for name in _MOMENTS]
    return [func.count(MigrationCase.id).label("started"), *reached]


def _reached(name: str) -> Any:
    """Where there is no gateway nobody settles a phone, and who is done has passed the step all the same."""
    moment = _MOMENTS[name]
    through = name in _PASSED_AT_THE_END
    return func.coalesce(moment, MigrationCase.completed_at) if through else moment


def purge(limit: int) -> int:
    """Delete up to `limit` cases that expired, and remainders of completed ones after their time.

    How far each came is added to the counters of the day on which it began, which name nobody.
    """
    now = clock.now()
    stale = select(MigrationCase.id).where(
        (MigrationCase.completed_at.is_(None) & (MigrationCase.expires_at < now))
        | (MigrationCase.completed_at < now - settings.finished_case_kept)
    )
    gone = db.session.execute(
        delete(MigrationCase)
        .where(MigrationCase.id.in_(stale.limit(limit)))
        .returning(
            MigrationCase.identity_id,
            MigrationCase.created_at,
            MigrationCase.group_name,
            *(_reached(name).label(name) for name in _MOMENTS),
        )
    ).all()
    _count(gone)
    return len(gone)


def _count(gone: Iterable[Row[Any]]) -> None:
    """In the order of the keys, so that nobody waits for somebody who waits for them."""
    rows = list(gone)
    sources = _sources({row.identity_id for row in rows})
    days: dict[_Key, Counter[str]] = {}
    for row in rows:
        key = (row.created_at.date(), sources[row.identity_id], row.group_name or "")
        reached = {name: int(getattr(row, name) is not None) for name in _MOMENTS}
        counts = reached | {"started": 1, "abandoned": int(row.done is None)}
        days.setdefault(key, Counter()).update(counts)
    for key in sorted(days):
        _add(key, days[key])


def _sources(identities: set[int]) -> dict[int, str]:
    found = select(LegacyIdentity.id, LegacyIdentity.source).where(
        LegacyIdentity.id.in_(identities)
    )
    return {row.id: row.source for row in db.session.execute(found)} if identities else {}


def _add(key: _Key, counts: Counter[str]) -> None:
    day, source, group = key
    values = {name: counts[name] for name in COUNTS}
    insert = upsert(CampaignDay).values(day=day, source=source, group_name=group, **values)
    more = {name: getattr(CampaignDay, name) + insert.excluded[name] for name in COUNTS}
    keys = [CampaignDay.day, CampaignDay.source, CampaignDay.group_name]
    db.session.execute(insert.on_conflict_do_update(index_elements=keys, set_=more))
