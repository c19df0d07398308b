"""Writing to people who proved a mailbox in a case and stopped; and stopping that.

The link's token follows from the address under a key of the deployment, so that every mail has the same one
and no table holds it. Whoever holds it may stop reminders to that address, and nothing else.
"""

import base64
import hashlib
import hmac
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, exists, func, select, update

from idp import clock
from idp.accounts import account as accounts
from idp.accounts.addresses import email_key, mask_email
from idp.audit import events
from idp.delivery import outbox
from idp.delivery.messages import Message
from idp.extensions import affected, db, settings, transaction, upsert
from idp.keys import kek
from idp.migration.models import MigrationCase, ReminderStop
from idp.security import throttle, tokens

TOPIC = "reminder"
MOST = 3
"""Reminders of one case in all."""

_QUIET, _PAUSE = timedelta(days=2), timedelta(days=7)
"""Since the last thing the person did, and since the last reminder to them."""
_WORTH_IT = timedelta(days=2)
"""For so long there must still be something to come back to."""
_BATCH = 50


def remind(*, actor: str, limit: int | None = None) -> int:
    """Leave mails for up to `limit` people in the outbox, in short transactions; how many.

    May be broken off and called again, by several workers at once: nobody is written to twice.
    """
    written, last = 0, 0
    while limit is None or written < limit:
        most = _BATCH if limit is None else min(_BATCH, limit - written)
        ids = list(
            db.session.scalars(
                select(MigrationCase.id)
                .where(MigrationCase.id > last, *_due(clock.now()))
                .order_by(MigrationCase.id)
                .limit(most)
            )
        )
        if not ids:
            break
        last = ids[-1]
        with transaction():
            count = sum(_remind(case_id) for case_id in ids)
            if count:
                events.reminders_written(count=count, actor=actor)
        written += count
    return written


def count_due() -> int:
    """How many cases wait for a reminder; those who want none may be among them."""
    due = select(func.count(MigrationCase.id)).where(*_due(clock.now()))
    return db.session.scalar(due) or 0


def wanted(case_id: str) -> bool:
    """Whether a reminder on its way is still of use. Runs in the worker's transaction."""
    case = db.session.get(MigrationCase, int(case_id))
    return (
        case is not None
        and case.completed_at is None
        and case.expires_at > clock.now()
        and case.reminder_email is not None
        and case.reminder_digest is not None
        and not _stopped(case.reminder_digest)
    )


def is_link(token: str) -> bool:
    """Whether a token is that of a reminder which was written, of a case that still lives or was stopped."""
    digest = tokens.digest(token)
    known = exists().where(MigrationCase.reminder_digest == digest)
    return bool(db.session.scalar(select(known))) or _stopped(digest)


def stop(token: str) -> bool:
    """Write to this address no more; False for a token that is none. Runs in the caller's transaction."""
    if not is_link(token):
        return False
    digest, until = tokens.digest(token), clock.now() + settings.finished_case_kept
    if not _stopped(digest):
        events.reminders_stopped()
    added = upsert(ReminderStop).values(digest=digest, expires_at=until)
    db.session.execute(added.on_conflict_do_nothing())
    _forget(MigrationCase.reminder_digest == digest)
    return True


def purge(limit: int) -> int:
    """Delete up to `limit` refusals that are over; how many went."""
    old = select(ReminderStop.digest).where(ReminderStop.expires_at < clock.now()).limit(limit)
    return affected(delete(ReminderStop).where(ReminderStop.digest.in_(old)))


def token_of(address: str) -> str:
    """What the link of an address ends with: 43 characters that nobody can guess without our key."""
    key = kek.ring().secret("reminders")
    mac = hmac.digest(key, email_key(address).encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(mac).decode().rstrip("=")


def _due(now: datetime) -> list[ColumnElement[bool]]:
    """What is true of a case whose person should be reminded."""
    reminded = MigrationCase.reminded_at
    return [
        MigrationCase.completed_at.is_(None),
        MigrationCase.reminder_email.is_not(None),
        MigrationCase.expires_at > now + _WORTH_IT,
        MigrationCase.updated_at <= now - _QUIET,
        MigrationCase.reminders < MOST,
        reminded.is_(None) | (reminded <= now - _PAUSE),
    ]


def _remind(case_id: int) -> bool:
    """Write one reminder, if it is still due and wanted; in the caller's transaction."""
    case = db.session.get(MigrationCase, case_id, populate_existing=True)
    address = case.reminder_email if case else None
    if case is None or address is None or accounts.by_email_key(email_key(address)):
        return False
    token = token_of(address)
    if _stopped(tokens.digest(token)):
        _forget(MigrationCase.id == case_id)
        return False
    # One mailbox may have proven itself in several cases: it is one person's all the same.
    if not (throttle.once(f"{TOPIC}:{token}", _PAUSE) and _take(case_id, address)):
        return False
    _leave(case, address, token)
    return True


def _take(case_id: int, address: str) -> bool:
    """Count the reminder, for whoever is first. The case does not live longer for it."""
    now = clock.now()
    return bool(
        affected(
            update(MigrationCase)
            .where(MigrationCase.id == case_id, MigrationCase.reminder_email == address, *_due(now))
            .values(
                reminders=MigrationCase.reminders + 1,
                reminded_at=now,
                reminder_digest=tokens.digest(token_of(address)),
                updated_at=MigrationCase.updated_at,
            )
        )
    )


def _leave(case: MigrationCase, address: str, token: str) -> None:
    link = f"{settings.issuer}/reminders/{token}"
    days = (case.expires_at - clock.now()) // timedelta(days=1)
    words: dict[str, str | int] = {
        "service": settings.mail_from_name,
        "days": days,
        "unsubscribe": link,
    }
    locale = case.reminder_locale or settings.default_locale
    mail = Message("email", address, "migration-reminder", locale, words)
    outbox.enqueue(
        mail, expires_at=case.expires_at, masked=mask_email(address), topic=f"{TOPIC}:{case.id}"
    )


def _stopped(digest: str) -> bool:
    return db.session.get(ReminderStop, digest) is not None


def _forget(whose: ColumnElement[bool]) -> None:
    db.session.execute(
        update(MigrationCase)
        .where(whose)
        .values(reminder_email=None, updated_at=MigrationCase.updated_at)
    )
