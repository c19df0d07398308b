"""What support and housekeeping do with the outbox; nobody here sees a payload."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, func, select, update

from idp import clock
from idp.audit import events
from idp.delivery import topics
from idp.delivery.models import OutboxMessage, OutboxStatus
from idp.delivery.topics import Owners
from idp.extensions import affected, db, settings

OVERDUE = timedelta(minutes=2)
"""A message that is due waits no longer where a worker runs and its gateway answers."""


@dataclass(frozen=True)
class Heap:
    """How many messages of one channel stand at one status, and since when the oldest of them exists."""

    channel: str
    status: OutboxStatus
    count: int
    oldest: datetime


@dataclass(frozen=True)
class Filter:
    """Which rows to list; what is left out does not narrow. `recipient` is a part of the masked one."""

    status: OutboxStatus | None = None
    channel: str | None = None
    recipient: str | None = None
    topic: str | None = None
    since: datetime | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """As SQL."""
        row = OutboxMessage
        wanted = (
            (self.status, row.status == self.status),
            (self.channel, row.kind == self.channel),
            (self.recipient, row.recipient.contains(self.recipient or "", autoescape=True)),
            (self.topic, row.topic == self.topic),
            (self.since, row.created_at >= self.since if self.since else row.id > 0),
        )
        return [condition for value, condition in wanted if value is not None]


def overdue() -> int:
    """How many messages wait that a running worker would have tried by now."""
    waits = select(func.count()).where(
        OutboxMessage.status == OutboxStatus.WAITING,
        OutboxMessage.due_at < clock.now() - OVERDUE,
    )
    return db.session.scalar(waits) or 0


def heaps() -> list[Heap]:
    """All messages, counted by channel and status."""
    rows = db.session.execute(
        select(
            OutboxMessage.kind,
            OutboxMessage.status,
            func.count(),
            func.min(OutboxMessage.created_at),
        )
        .group_by(OutboxMessage.kind, OutboxMessage.status)
        .order_by(OutboxMessage.kind, OutboxMessage.status)
    )
    return [Heap(*row) for row in rows]


def listing(wanted: Filter, limit: int) -> Sequence[OutboxMessage]:
    """The newest rows that fit."""
    rows = select(OutboxMessage).where(*wanted.conditions()).order_by(OutboxMessage.id.desc())
    return db.session.scalars(rows.limit(limit)).all()


def retry(wanted: Sequence[int] | Filter) -> int:
    """Let dead messages wait again: those that are still valid and whose payload is kept; how many.

    Runs in the caller's transaction.
    """
    chosen = wanted.conditions() if isinstance(wanted, Filter) else [OutboxMessage.id.in_(wanted)]
    return affected(
        update(OutboxMessage)
        .where(*chosen, OutboxMessage.status == OutboxStatus.DEAD)
        .where(OutboxMessage.payload.is_not(None), OutboxMessage.expires_at > clock.now())
        .values(status=OutboxStatus.WAITING, attempts=0, due_at=clock.now(), finished_at=None)
    )


def erase(limit: int, owners: Owners) -> int:
    """Erase up to `limit` payloads that came too late, record so, and tell whoever answers; how many.

    A message that is being sent just now belongs to its worker.
    """
    now = clock.now()
    late = select(OutboxMessage.id).where(
        OutboxMessage.expires_at <= now,
        OutboxMessage.due_at <= now,
        OutboxMessage.payload.is_not(None),
    )
    ids = list(db.session.scalars(late.limit(limit)))
    chosen = OutboxMessage.id.in_(ids)
    _expire(chosen, now, owners)
    return affected(update(OutboxMessage).where(chosen).values(payload=None))


def _expire(chosen: ColumnElement[bool], now: datetime, owners: Owners) -> None:
    """Record that those of the chosen messages that still wait came too late."""
    waiting = and_(chosen, OutboxMessage.status == OutboxStatus.WAITING)
    for row in db.session.scalars(select(OutboxMessage).where(waiting)).all():
        events.message_undeliverable(
            channel=row.kind,
            recipient=row.recipient,
            outcome=OutboxStatus.EXPIRED.value,
            why=row.last_error or "",
        )
        topics.tell(row.topic, owners)
    values = {"status": OutboxStatus.EXPIRED, "finished_at": now}
    db.session.execute(update(OutboxMessage).where(waiting).values(values))


def purge(limit: int) -> int:
    """Delete up to `limit` traces of messages that could have been delivered until long ago; how many went."""
    old = select(OutboxMessage.id).where(
        OutboxMessage.expires_at < clock.now() - settings.outbox_kept
    )
    return affected(delete(OutboxMessage).where(OutboxMessage.id.in_(old.limit(limit))))
