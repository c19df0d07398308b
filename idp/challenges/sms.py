"""Watching what becomes of SMS, country by country: who is paid for messages to numbers that nobody
reads (SMS pumping) asks for many codes, and uses few.

Codes sent and codes used are counted by country calling code and hour, in the transactions that send and
accept. Where too few are used, no more are sent until an administrator says otherwise.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import ColumnElement, String, delete, func, select, tuple_
from sqlalchemy.orm import Mapped, mapped_column

from idp import clock
from idp.accounts.phones import country_prefix
from idp.audit import events
from idp.challenges.challenge import Challenge, Channel
from idp.extensions import Base, affected, db, settings, upsert

_log = structlog.get_logger("seuil.sms")

_KEPT = timedelta(days=31)


class SmsConversion(Base):
    """Codes of one hour to one country: messages that left, and codes that came back."""

    __tablename__ = "sms_conversion"

    prefix: Mapped[str] = mapped_column(String(4), primary_key=True)
    hour: Mapped[datetime] = mapped_column(primary_key=True, index=True)
    sent: Mapped[int]
    used: Mapped[int]


class SmsStop(Base):
    """A country to which no SMS goes; `sent` and `used` are what stopped it."""

    __tablename__ = "sms_stop"

    prefix: Mapped[str] = mapped_column(String(4), primary_key=True)
    stopped_at: Mapped[datetime]
    sent: Mapped[int]
    used: Mapped[int]


@dataclass(frozen=True)
class PrefixState:
    """One country, over the time that is watched. `share` of the codes that were used, in percent."""

    prefix: str
    sent: int
    used: int
    share: int | None
    stopped_at: datetime | None


def count_sent(number: str) -> None:
    """One more message to a number (E.164). Runs in the caller's transaction."""
    _count(number, sent=1, used=0)


def count_lost(number: str) -> None:
    """A message to a number (E.164) never left: a dead gateway must not look like fraud. Runs in the
    caller's transaction."""
    _count(number, sent=-1, used=0)


def count_used(number: str) -> None:
    """A code sent to a number (E.164) came back. Runs in the caller's transaction."""
    _count(number, sent=0, used=1)


def is_stopped(number: str) -> bool:
    """True while no SMS goes to the country of a number (E.164)."""
    return db.session.get(SmsStop, country_prefix(number)) is not None


def admit(number: str) -> bool:
    """True when an SMS may go to the number's country. Looks at what became of the others first, and
    stops the country when too few were used, by more than one or two people. Runs in the caller's transaction.
    """
    prefix = country_prefix(number)
    stopped_at = select(SmsStop.stopped_at).where(SmsStop.prefix == prefix).scalar_subquery()
    sent, used, stopped = db.session.execute(
        select(_total(SmsConversion.sent), _total(SmsConversion.used), stopped_at).where(
            SmsConversion.prefix == prefix, SmsConversion.hour > _watched_since()
        )
    ).one()
    if stopped or not _too_few(sent, used):
        return not stopped
    sent -= _awaited(prefix)
    if not _too_few(sent, used) or _people(prefix) < settings.sms_watch_people:
        return True
    _stop(prefix, sent, used)
    return False


def allow(prefix: str, actor: str) -> bool:
    """Send to a country again, and count anew; False when it was not stopped."""
    lifted = affected(delete(SmsStop).where(SmsStop.prefix == prefix))
    if lifted:
        db.session.execute(delete(SmsConversion).where(SmsConversion.prefix == prefix))
        events.sms_allowed(prefix=prefix, actor=actor)
    return bool(lifted)


def prefixes() -> list[PrefixState]:
    """Every country that was sent to in the time that is watched, or is stopped."""
    rows = db.session.execute(
        select(SmsConversion.prefix, _total(SmsConversion.sent), _total(SmsConversion.used))
        .where(SmsConversion.hour > _watched_since())
        .group_by(SmsConversion.prefix)
    )
    counts = {prefix: (sent, used) for prefix, sent, used in rows}
    stops = {stop.prefix: stop for stop in stopped()}
    return [
        _state(prefix, *counts.get(prefix, (0, 0)), stops.get(prefix))
        for prefix in sorted({*counts, *stops})
    ]


def stopped() -> Sequence[SmsStop]:
    """The countries to which no SMS goes."""
    return db.session.scalars(select(SmsStop).order_by(SmsStop.prefix)).all()


def purge(limit: int) -> int:
    """Delete up to `limit` hours that are a month old; how many went."""
    key = tuple_(SmsConversion.prefix, SmsConversion.hour)
    old = select(SmsConversion.prefix, SmsConversion.hour).where(
        SmsConversion.hour < clock.now() - _KEPT
    )
    return affected(delete(SmsConversion).where(key.in_(old.limit(limit))))


def _count(number: str, *, sent: int, used: int) -> None:
    hour = clock.now().replace(minute=0, second=0, microsecond=0)
    row = upsert(SmsConversion).values(
        prefix=country_prefix(number), hour=hour, sent=sent, used=used
    )
    db.session.execute(
        row.on_conflict_do_update(
            index_elements=[SmsConversion.prefix, SmsConversion.hour],
            set_={"sent": SmsConversion.sent + sent, "used": SmsConversion.used + used},
        )
    )


def _too_few(sent: int, used: int) -> bool:
    return sent >= settings.sms_watch_least and used * 100 < settings.sms_watch_share * sent


def _awaited(prefix: str) -> int:
    """Messages whose codes may still come back: a burst is not held against a country at once."""
    waiting = select(_total(Challenge.emissions)).where(
        Challenge.channel == Channel.SMS,
        Challenge.closed_at.is_(None),
        Challenge.expires_at > clock.now(),
        Challenge.destination.startswith(prefix, autoescape=True),
    )
    return db.session.scalar(waiting) or 0


def _people(prefix: str) -> int:
    """How many left codes to a country unused; codes are kept for a day."""
    unused = select(Challenge.account_id, Challenge.case_id).where(
        Challenge.channel == Channel.SMS,
        Challenge.verified_at.is_(None),
        Challenge.created_at > _watched_since(),
        Challenge.destination.startswith(prefix, autoescape=True),
    )
    people = unused.distinct().subquery()
    return db.session.scalar(select(func.count()).select_from(people)) or 0


def _stop(prefix: str, sent: int, used: int) -> None:
    row = upsert(SmsStop).values(prefix=prefix, stopped_at=clock.now(), sent=sent, used=used)
    first = db.session.execute(row.on_conflict_do_nothing().returning(SmsStop.prefix)).first()
    if first:
        events.sms_stopped(prefix=prefix, sent=sent, used=used)
        _log.error("sms_prefix_stopped", prefix=prefix, sent=sent, used=used)


def _state(prefix: str, sent: int, used: int, stop: SmsStop | None) -> PrefixState:
    share = used * 100 // sent if sent else None
    return PrefixState(prefix, sent, used, share, stop.stopped_at if stop else None)


def _watched_since() -> datetime:
    return clock.now() - settings.sms_watch_window


def _total(column: ColumnElement[int] | Mapped[int]) -> ColumnElement[int]:
    return func.coalesce(func.sum(column), 0)
