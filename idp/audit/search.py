"""Finding events: by account, relying party, kind and time."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select

from idp.audit.chain import COLUMNS, event_line, record
from idp.audit.models import AuditEvent
from idp.extensions import db, snapshot


@dataclass(frozen=True)
class Sought:
    """What to find; None: whatever it is. `since` counts, `until` does not."""

    account: str | None = None
    client: str | None = None
    event: str | None = None
    reference: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """As SQL."""
        same = {
            AuditEvent.account: self.account,
            AuditEvent.client: self.client,
            AuditEvent.event: self.event,
        }
        found = [column == value for column, value in same.items() if value is not None]
        if self.reference is not None:
            found.append(AuditEvent.details["reference"].as_string() == self.reference)
        if self.since is not None:
            found.append(AuditEvent.at >= self.since)
        if self.until is not None:
            found.append(AuditEvent.at < self.until)
        return found


def newest(sought: Sought, limit: int) -> list[dict[str, Any]]:
    """Up to `limit` events, newest first, each as `chain.record` says it."""
    query = COLUMNS.where(*sought.conditions()).order_by(AuditEvent.id.desc()).limit(limit)
    return [record(row, row.seq) for row in db.session.execute(query)]


def names() -> list[str]:
    """The kinds of events that have happened, by name."""
    return sorted(db.session.scalars(select(AuditEvent.event).distinct()))


def accounts(sought: Sought, limit: int) -> list[dict[str, Any]]:
    """Up to `limit` accounts that the events are about: how many of each, the first and the last."""
    query = (
        select(
            AuditEvent.account,
            func.count().label("events"),
            func.min(AuditEvent.at).label("first"),
            func.max(AuditEvent.at).label("last"),
        )
        .where(AuditEvent.account.is_not(None), *sought.conditions())
        .group_by(AuditEvent.account)
        .order_by(func.max(AuditEvent.at).desc(), AuditEvent.account)
    )
    return [dict(row._mapping) for row in db.session.execute(query.limit(limit))]  # noqa: SLF001


@dataclass(frozen=True)
class Export:
    """How many events there are, and each as a JSON line, oldest first."""

    count: int
    lines: Iterator[str]


@contextmanager
def exported(sought: Sought) -> Iterator[Export]:
    """All events as they are at this moment, read in bounded memory while the context lasts."""
    with snapshot() as connection:
        counted = select(func.count()).select_from(AuditEvent).where(*sought.conditions())
        count = connection.execute(counted).scalar_one()
        found = COLUMNS.where(*sought.conditions()).order_by(AuditEvent.id)
        with connection.execute(found) as rows:
            yield Export(count, (event_line(record(row, row.seq), row.mac) for row in rows))
