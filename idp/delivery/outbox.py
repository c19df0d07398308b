"""The outbox: messages written with what caused them, sent by workers that lease them.

A worker takes a row by a conditional UPDATE that pushes its due time past the lease; whoever crashes
leaves a row that becomes due again. Payloads are encrypted, bound to their row, and erased at the end.
"""

import json
import threading
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import delete, event, select, update
from sqlalchemy.orm import Session

from idp import clock
from idp.audit import events
from idp.delivery import messages, senders
from idp.delivery.messages import Message
from idp.delivery.models import OutboxMessage, OutboxStatus
from idp.delivery.senders import RetryLaterError, UndeliverableError
from idp.extensions import affected, db, settings, transaction
from idp.keys import wrapping
from idp.security import tokens

_log = structlog.get_logger("seuil.delivery")

_BATCH = 20
_LONGEST_PAUSE = timedelta(seconds=60)

waiting = threading.Event()
"""Set when a transaction of this process has left a message behind."""


@dataclass(frozen=True)
class _Leased:
    """A message this worker owns until its lease ends."""

    id: int
    uid: str
    kind: str
    payload: str
    attempts: int
    expires_at: datetime


def enqueue(message: Message, *, expires_at: datetime, masked: str) -> None:
    """Leave a message in the caller's transaction. `masked` is what people may see of the recipient."""
    uid = tokens.new_token()
    db.session.add(
        OutboxMessage(
            uid=uid,
            kind=message.channel,
            payload=wrapping.wrap(json.dumps(asdict(message)).encode(), f"outbox:{uid}"),
            recipient=masked,
            expires_at=expires_at,
        )
    )
    db.session.info["mail_waits"] = True


@event.listens_for(Session, "after_commit")
def _wake(session: Session) -> None:
    if session.info.pop("mail_waits", False):
        waiting.set()


@event.listens_for(Session, "after_rollback")
def _forget(session: Session) -> None:
    session.info.pop("mail_waits", None)


def deliver_due(worker: str) -> int:
    """Send one batch of due messages, each leased just before it is sent; how many were tried."""
    tried = 0
    for row_id in _due():
        lease = _lease(row_id, worker)
        if lease:
            _deliver(lease, worker)
            tried += 1
    return tried


def _due() -> list[int]:
    rows = db.session.scalars(
        select(OutboxMessage.id)
        .where(OutboxMessage.status == OutboxStatus.WAITING, OutboxMessage.due_at <= clock.now())
        .order_by(OutboxMessage.due_at)
        .limit(_BATCH)
    )
    return list(rows)


def _lease(row_id: int, worker: str) -> _Leased | None:
    """Own the row for the length of a lease. None: another worker was first, or it came too late."""
    now = clock.now()
    with transaction():
        mine = affected(
            update(OutboxMessage)
            .where(OutboxMessage.id == row_id, OutboxMessage.status == OutboxStatus.WAITING)
            .where(OutboxMessage.due_at <= now)
            .values(
                leased_by=worker,
                due_at=now + settings.outbox_lease,
                attempts=OutboxMessage.attempts + 1,
            )
        )
        row = db.session.get(OutboxMessage, row_id) if mine else None
        if row is None or row.payload is None:
            return None
        if row.expires_at <= now:
            _finish(row_id, worker, OutboxStatus.EXPIRED, row.last_error)
            return None
        return _Leased(row.id, row.uid, row.kind, row.payload, row.attempts, row.expires_at)


def _deliver(lease: _Leased, worker: str) -> None:
    """Send outside any transaction, then record, if the lease is still ours."""
    try:
        plain = wrapping.unwrap(lease.payload, f"outbox:{lease.uid}")
        senders.send(lease.kind, messages.render(Message(**json.loads(plain))))
    except RetryLaterError as error:
        with transaction():
            _postpone(lease, worker, str(error))
    except (UndeliverableError, wrapping.WrapError) as error:
        with transaction():
            _finish(lease.id, worker, OutboxStatus.DEAD, str(error))
    except Exception as error:  # noqa: BLE001
        # One message that nobody can write must not hold up the others, now or after its lease.
        _log.error("message_cannot_be_written", uid=lease.uid, error=type(error).__name__)
        with transaction():
            _finish(lease.id, worker, OutboxStatus.DEAD, type(error).__name__)
    else:
        with transaction():
            _finish(lease.id, worker, OutboxStatus.SENT, None)


def _postpone(lease: _Leased, worker: str, error: str) -> None:
    pause = min(timedelta(seconds=2 ** (lease.attempts - 1)), _LONGEST_PAUSE)
    db.session.execute(
        update(OutboxMessage)
        .where(OutboxMessage.id == lease.id, OutboxMessage.leased_by == worker)
        .values(due_at=clock.now() + pause, leased_by=None, last_error=error[:300])
    )


def _finish(row_id: int, worker: str, status: OutboxStatus, error: str | None) -> None:
    mine = affected(
        update(OutboxMessage)
        .where(OutboxMessage.id == row_id, OutboxMessage.leased_by == worker)
        .values(
            status=status,
            payload=None,
            leased_by=None,
            finished_at=clock.now(),
            last_error=error[:300] if error else None,
        )
    )
    if mine and status is not OutboxStatus.SENT:
        row = db.session.get_one(OutboxMessage, row_id)
        events.message_undeliverable(
            channel=row.kind,
            recipient=row.recipient,
            outcome=status.value,
            why=row.last_error or "",
        )


def purge(limit: int) -> int:
    """Delete up to `limit` traces of messages that could have been delivered until long ago; how many went."""
    old = select(OutboxMessage.id).where(
        OutboxMessage.expires_at < clock.now() - settings.outbox_kept
    )
    return affected(delete(OutboxMessage).where(OutboxMessage.id.in_(old.limit(limit))))


OVERDUE = timedelta(minutes=2)
"""A message waits no longer than the longest pause between two tries (60 s) where a worker runs."""


def overdue() -> int:
    """How many messages wait that a running worker would have tried by now."""
    waits = select(db.func.count()).where(
        OutboxMessage.status == OutboxStatus.WAITING,
        OutboxMessage.due_at < clock.now() - OVERDUE,
    )
    return db.session.scalar(waits) or 0


def listing(status: OutboxStatus | None, limit: int) -> list[OutboxMessage]:
    """At most `limit` messages of one status, or of any, newest first. Show no payload to anybody."""
    newest = select(OutboxMessage).order_by(OutboxMessage.id.desc()).limit(limit)
    chosen = newest if status is None else newest.where(OutboxMessage.status == status)
    return list(db.session.scalars(chosen))
