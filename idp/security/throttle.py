"""Counting tries in the database, shared by all nodes.

A try is reserved, and committed, before anything is compared; success empties the bucket. Two kinds
of bucket share one table: a `Budget` (so many in a window) and a `Backoff` (some free, then a delay
that doubles). Keys are stored as digests, of one length and not to be read by chance; whoever wants to
can find an address again by trying.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, String, case, delete, literal, select, update
from sqlalchemy.orm import Mapped, mapped_column

from idp import clock
from idp.extensions import Base, UtcDateTime, affected, db, upsert
from idp.security.tokens import digest


class Throttle(Base):
    """One bucket: how many tries it holds, until when they count, until when it is shut."""

    __tablename__ = "throttle"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    count: Mapped[int]
    blocked_until: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)


@dataclass(frozen=True)
class Budget:
    """At most `limit` tries in a window of `per` that begins with the first."""

    key: str
    limit: int
    per: timedelta


@dataclass(frozen=True)
class Backoff:
    """`free` tries, then a wait of 1, 2, 4 … seconds up to `longest`; forgotten after `memory`."""

    key: str
    free: int
    longest: timedelta
    memory: timedelta = timedelta(hours=1)


def reserve(*buckets: Budget | Backoff) -> timedelta | None:
    """Take one try from every bucket. None: granted. Otherwise how long to wait; nothing was taken.

    Runs inside the caller's transaction, which must be committed before the try is evaluated.
    """
    taken: list[Budget | Backoff] = []
    for bucket in _in_order(buckets):
        if not _take(bucket):
            _give_back(*taken)
            return _wait(bucket)
        taken.append(bucket)
    return None


def _give_back(*buckets: Budget | Backoff) -> None:
    """Undo one reserved try in each bucket: another bucket had none left."""
    for bucket in buckets:
        db.session.execute(
            update(Throttle)
            .where(Throttle.key == digest(bucket.key), Throttle.count > 0)
            .values(count=Throttle.count - 1, blocked_until=clock.now())
        )


def clear(*buckets: Budget | Backoff) -> None:
    """Empty the buckets, after a success that ends a row of wrong tries."""
    for bucket in _in_order(buckets):
        db.session.execute(delete(Throttle).where(Throttle.key == digest(bucket.key)))


def _in_order(buckets: tuple[Budget | Backoff, ...]) -> list[Budget | Backoff]:
    """The order in which everybody takes rows, so that nobody waits for somebody who waits for them."""
    return sorted(buckets, key=lambda bucket: bucket.key)


def spent(bucket: Budget) -> int:
    """How many tries the budget holds now."""
    row = db.session.execute(
        select(Throttle.count).where(
            Throttle.key == digest(bucket.key), Throttle.expires_at > clock.now()
        )
    )
    return row.scalar() or 0


def _take(bucket: Budget | Backoff) -> bool:
    now = clock.now()
    free = bucket.limit if isinstance(bucket, Budget) else bucket.free
    window = bucket.per if isinstance(bucket, Budget) else bucket.memory
    stale = Throttle.expires_at <= now
    count = case((stale, 1), else_=Throttle.count + 1)
    values: dict[str, object] = {
        "count": count,
        "expires_at": case((stale, literal(now + window, UtcDateTime)), else_=Throttle.expires_at),
    }
    if isinstance(bucket, Budget):
        allowed = stale | (Throttle.count < free)
    else:
        # Free tries are free at whatever moment another process says it is.
        allowed = stale | (Throttle.count < free) | (Throttle.blocked_until <= now)
        values |= {"expires_at": now + window, "blocked_until": _next_door(bucket, count, now)}
    statement = upsert(Throttle).values(
        key=digest(bucket.key), count=1, blocked_until=now, expires_at=now + window
    )
    statement = statement.on_conflict_do_update(
        index_elements=[Throttle.key], set_=values, where=allowed
    )
    return bool(db.session.execute(statement.returning(Throttle.count)).first())


def _next_door(
    bucket: Backoff, count: ColumnElement[int], now: datetime
) -> ColumnElement[datetime]:
    """The moment at which the next try is allowed, as SQL over the count that this try makes."""
    steps = []
    delay = timedelta(seconds=1)
    over = 0
    while delay < bucket.longest:
        steps.append((count == bucket.free + over, literal(now + delay, UtcDateTime)))
        delay, over = delay * 2, over + 1
    return case(
        (count < bucket.free, literal(now - bucket.memory, UtcDateTime)),
        *steps,
        else_=literal(now + bucket.longest, UtcDateTime),
    )


def _wait(bucket: Budget | Backoff) -> timedelta:
    row = db.session.execute(
        select(Throttle.blocked_until, Throttle.expires_at).where(
            Throttle.key == digest(bucket.key)
        )
    ).one()
    until: datetime = row.expires_at if isinstance(bucket, Budget) else row.blocked_until
    return max(until - clock.now(), timedelta(seconds=1))


def purge(limit: int) -> int:
    """Delete up to `limit` buckets that no longer count; how many went."""
    stale = select(Throttle.key).where(Throttle.expires_at <= clock.now()).limit(limit)
    return affected(delete(Throttle).where(Throttle.key.in_(stale)))
