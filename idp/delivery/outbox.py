"""The outbox: messages written with what caused them, sent by workers that lease them.

A worker takes a row by a conditional UPDATE that pushes its due time past the lease; whoever crashes
leaves a row that becomes due again. Payloads are encrypted and bound to their row.
"""

import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import event, select, true, update
from sqlalchemy.orm import Session

from idp import clock
from idp.audit import events
from idp.delivery import messages, routes, topics
from idp.delivery.bell import Bell
from idp.delivery.messages import Message
from idp.delivery.models import OutboxMessage, OutboxStatus
from idp.delivery.routes import Carried
from idp.delivery.senders import RetryLaterError, UndeliverableError
from idp.delivery.topics import Owners
from idp.extensions import affected, db, settings, transaction
from idp.keys import wrapping
from idp.security import tokens

_log = structlog.get_logger("seuil.delivery")

_BATCH = 20
_LONGEST_PAUSE, _LONGEST_EVER = timedelta(seconds=60), timedelta(minutes=15)

CHANNELS = ("email", "sms")
bell = Bell()
"""Rings when a transaction of this process has left a message behind."""


@dataclass(frozen=True)
class _Leased:
    """A message this worker owns until its lease ends."""

    id: int
    uid: str
    kind: str
    recipient: str
    topic: str | None
    payload: str
    attempts: int
    expires_at: datetime


def enqueue(
    message: Message, *, expires_at: datetime, masked: str, topic: str | None = None
) -> None:
    """Leave a message in the caller's transaction. `masked` is what people may see of the recipient.

    `topic`, "kind:id", says whom to tell when the message cannot be delivered.
    """
    uid = tokens.new_token()
    db.session.add(
        OutboxMessage(
            uid=uid,
            kind=message.channel,
            topic=topic,
            payload=wrapping.wrap(json.dumps(asdict(message)).encode(), f"outbox:{uid}"),
            recipient=masked,
            expires_at=expires_at,
        )
    )
    db.session.info["mail_waits"] = True


@event.listens_for(Session, "after_commit")
def _wake(session: Session) -> None:
    if session.info.pop("mail_waits", False):
        bell.ring()


@event.listens_for(Session, "after_rollback")
def _forget(session: Session) -> None:
    session.info.pop("mail_waits", None)


def deliver_due(
    worker: str,
    channel: str | None = None,
    owners: Owners | None = None,
    most: int = _BATCH,
) -> int:
    """Send up to `most` due messages, over one channel or all; how many were tried.

    Which one is next is looked up after each, so that new messages never wait behind old retries.
    """
    tried, owners = 0, owners or {}
    while tried < most and (lease := _next(worker, channel, owners)):
        _deliver(lease, worker, owners)
        tried += 1
    return tried


def _next(worker: str, channel: str | None, owners: Owners) -> _Leased | None:
    """Own the message that was tried least often and waits longest; None when none is due."""
    due = (
        select(OutboxMessage.id)
        .where(OutboxMessage.status == OutboxStatus.WAITING, OutboxMessage.due_at <= clock.now())
        .where(OutboxMessage.kind == channel if channel else true())
        .order_by(OutboxMessage.attempts, OutboxMessage.due_at, OutboxMessage.id)
        .limit(_BATCH)
    )
    leases = (_lease(row_id, worker, owners) for row_id in list(db.session.scalars(due)))
    return next((lease for lease in leases if lease), None)


def _lease(row_id: int, worker: str, owners: Owners) -> _Leased | None:
    """Own the row for the length of a lease. None: another worker was first, or it came too late or is
    not wanted any more, which whoever answers for its topic is told."""
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
        named = (row.id, row.uid, row.kind, row.recipient, row.topic)
        lease = _Leased(*named, row.payload, row.attempts, row.expires_at)
        if row.expires_at <= now or not topics.wanted(row.topic, owners):
            _finish(lease, worker, OutboxStatus.EXPIRED, last_error=row.last_error, payload=None)
            topics.tell(lease.topic, owners)
            return None
        return lease


def _deliver(lease: _Leased, worker: str, owners: Owners) -> None:
    """Send outside any transaction, then record, if the lease is still ours."""
    try:
        carried = _send(lease)
    except RetryLaterError as error:
        if _out_of_patience(lease, owners):
            _give_up(lease, worker, str(error), owners)
        else:
            _postpone(lease, worker, str(error))
    except (UndeliverableError, wrapping.WrapError) as error:
        _give_up(lease, worker, str(error), owners)
    except Exception as error:  # noqa: BLE001
        # One message that nobody can write must not hold up the others, now or after its lease.
        _log.error("message_cannot_be_written", uid=lease.uid, error=type(error).__name__)
        _give_up(lease, worker, type(error).__name__, owners)
    else:
        took = {"route": carried.route, "reference": carried.reference or None}
        with transaction():
            _finish(lease, worker, OutboxStatus.SENT, last_error=None, payload=None, **took)


def _send(lease: _Leased) -> Carried:
    plain = wrapping.unwrap(lease.payload, f"outbox:{lease.uid}")
    rendered = messages.render(Message(**json.loads(plain)))
    return routes.current().send(lease.kind, rendered, lease.uid)


def _out_of_patience(lease: _Leased, owners: Owners) -> bool:
    """True for an SMS whose place something else can take, once all gateways were tried often enough."""
    answered = topics.answered(lease.topic, owners)
    return lease.kind == "sms" and answered and lease.attempts >= settings.sms_rounds


def _give_up(lease: _Leased, worker: str, error: str, owners: Owners) -> None:
    """Bury the message and tell whoever answers for its topic, together.

    Its payload is kept until it expires, for another try, unless something else took its place.
    """
    with transaction():
        buried = _finish(lease, worker, OutboxStatus.DEAD, last_error=error[:300])
        if buried and topics.tell(lease.topic, owners):
            forget = update(OutboxMessage).where(OutboxMessage.id == lease.id).values(payload=None)
            db.session.execute(forget)


def _postpone(lease: _Leased, worker: str, error: str) -> None:
    """Wait 1, 2, 4 … seconds; up to a minute, or a hundredth of what is left of a long life."""
    now = clock.now()
    longest = min(max(_LONGEST_PAUSE, (lease.expires_at - now) / 100), _LONGEST_EVER)
    pause = min(timedelta(seconds=2 ** min(lease.attempts - 1, 12)), longest)
    with transaction():
        _write(lease, worker, due_at=now + pause, last_error=error[:300])


def _finish(lease: _Leased, worker: str, status: OutboxStatus, **values: str | None) -> bool:
    mine = _write(lease, worker, status=status, finished_at=clock.now(), **values)
    if mine and status is not OutboxStatus.SENT:
        events.message_undeliverable(
            channel=lease.kind,
            recipient=lease.recipient,
            outcome=status.value,
            why=values["last_error"] or "",
        )
    return mine


def _write(lease: _Leased, worker: str, **values: object) -> bool:
    """Record and let go of the lease; False when it was lost meanwhile."""
    statement = (
        update(OutboxMessage)
        .where(OutboxMessage.id == lease.id, OutboxMessage.leased_by == worker)
        .where(OutboxMessage.status == OutboxStatus.WAITING)
        .values(leased_by=None, **values)
    )
    return bool(affected(statement))
