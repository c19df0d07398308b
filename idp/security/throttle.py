"""Counting tries in the database, shared by all nodes.

A try is reserved, and committed, before anything is compared; success gives it back. Two kinds of bucket
share one table: a `Budget` (so many in a window) and a `Backoff` (some free, then a delay that doubles).
Keys are stored as digests, of one length and not to be read by chance; whoever wants to can find an
address again by trying.

However many buckets a try is counted in, they are taken in one statement, and given back in one. Both
lock their rows in the order of the keys, so that nobody waits for somebody who waits for them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import cast

from sqlalchemy import (
    ColumnElement,
    String,
    Table,
    bindparam,
    case,
    delete,
    literal,
    select,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql.dml import ReturningInsert

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
    """At most `limit` tries in a window of `per` that begins with the first; or, when `from_last`, with each
    one: however they are timed, no span of that length has more of them."""

    key: str
    limit: int
    per: timedelta
    from_last: bool = False


@dataclass(frozen=True)
class Backoff:
    """`free` tries, then a wait of 1, 2, 4 … seconds up to `longest` before each one more.

    Forgotten `memory` after the last try; or, when `from_first`, after the first: what many people share
    would otherwise never be forgotten.
    """

    key: str
    free: int
    longest: timedelta
    memory: timedelta = timedelta(hours=1)
    from_first: bool = False


Bucket = Budget | Backoff


def reserve(*buckets: Bucket) -> timedelta | None:
    """Take one try from every bucket. None: granted. Otherwise the longest wait; nothing was taken.

    Runs inside the caller's transaction, which must be committed before the try is evaluated.
    """
    return max(reserve_each(*buckets).values(), default=None)


def reserve_each(*buckets: Bucket) -> dict[str, timedelta]:
    """As `reserve`, but tells which buckets had no try left, by key, and how long each is shut."""
    asked = {digest(bucket.key): bucket for bucket in buckets}
    if not asked:
        return {}
    now = clock.now()
    taken = set(db.session.scalars(_taking(asked, now)))
    if len(taken) == len(asked):
        return {}
    if taken:
        _let_go(emptied=(), lessened=taken)
    return _waits({key: bucket for key, bucket in asked.items() if key not in taken}, now)


def once(key: str, per: timedelta) -> bool:
    """True for the first who asks, and again `per` later. A `Budget` of one try, for what happens all the time.

    Runs inside the caller's transaction.
    """
    now = clock.now()
    fresh = {"key": digest(key), "now": now, "until": now + per}
    return db.session.scalar(_once(db.engine.dialect.name), fresh) is not None


def clear(*buckets: Bucket, back: Iterable[Bucket] = ()) -> None:
    """Empty the buckets, after a success that ends a row of wrong tries; one try `back` into the others.

    What many people share gets back what was taken, and no more: a success of one's own must not
    hide the wrong tries at others.
    """
    _let_go(
        emptied=[digest(bucket.key) for bucket in buckets],
        lessened=[digest(bucket.key) for bucket in back],
    )


def spent(bucket: Budget) -> int:
    """How many tries the budget holds now."""
    row = db.session.execute(
        select(Throttle.count).where(
            Throttle.key == digest(bucket.key), Throttle.expires_at > clock.now()
        )
    )
    return row.scalar() or 0


def purge(limit: int) -> int:
    """Delete up to `limit` buckets that no longer count; how many went. Passes over those in use."""
    stale = select(Throttle.key).where(Throttle.expires_at <= clock.now()).limit(limit)
    unused = stale.with_for_update(skip_locked=True)
    return affected(delete(Throttle).where(Throttle.key.in_(unused)))


@cache
def _once(_engine: str) -> ReturningInsert[str]:
    """Built for one engine and kept: putting a statement together costs more than running it."""
    table = cast("Table", Throttle.__table__)
    now, until = bindparam("now", type_=UtcDateTime), bindparam("until", type_=UtcDateTime)
    row = {"key": bindparam("key"), "count": 1, "blocked_until": now, "expires_at": until}
    again = {"blocked_until": now, "expires_at": until}
    insert = upsert(table).values(row)
    return insert.on_conflict_do_update(
        index_elements=[table.c.key], set_=again, where=table.c.expires_at <= now
    ).returning(table.c.key)


def _let_go(*, emptied: Iterable[str], lessened: Iterable[str]) -> None:
    """Empty some rows (they are over), and take one try out of others (their door is open again)."""
    now, empty, less = clock.now(), list(emptied), list(lessened)
    rows = select(Throttle.key).where(Throttle.key.in_([*empty, *less]))
    in_order = rows.order_by(Throttle.key).with_for_update()
    ends = Throttle.key.in_(empty)
    statement = (
        update(Throttle)
        .where(Throttle.key.in_(in_order), Throttle.count > 0)
        .values(
            count=case((ends, 0), else_=Throttle.count - 1),
            blocked_until=now,
            expires_at=case((ends, _moment(now)), else_=Throttle.expires_at),
        )
    )
    db.session.execute(statement, execution_options={"synchronize_session": False})


def _waits(refused: dict[str, Bucket], now: datetime) -> dict[str, timedelta]:
    rows = db.session.execute(
        select(Throttle.key, Throttle.blocked_until, Throttle.expires_at).where(
            Throttle.key.in_(refused)
        )
    )
    waits = {}
    for key, blocked_until, expires_at in rows:
        until = expires_at if isinstance(refused[key], Budget) else blocked_until
        waits[refused[key].key] = max(until - now, timedelta(seconds=1))
    return waits


def _taking(asked: dict[str, Bucket], now: datetime) -> ReturningInsert[str]:
    """One try into each row that has one left, in the order of the keys; RETURNING tells which had."""
    rows = [_first(key, bucket, now) for key, bucket in sorted(asked.items())]
    insert = upsert(Throttle).values(rows)
    fresh, held = insert.excluded, Throttle.count
    backoffs = {key: one for key, one in asked.items() if isinstance(one, Backoff)}
    free = case({key: _free(one) for key, one in asked.items()}, value=Throttle.key)
    stale = Throttle.expires_at <= now
    opened = Throttle.key.in_(backoffs) & (Throttle.blocked_until <= now)
    renewed = Throttle.key.in_([key for key, one in asked.items() if _from_last(one)])
    doors = _doors(backoffs, held + 1 - free, now)
    # Free tries are free at whatever moment another process says it is.
    allowed = stale | (held < free) | opened
    values = {
        "count": case((stale, 1), else_=held + 1),
        "blocked_until": case((stale, fresh.blocked_until), *doors, else_=_moment(now)),
        "expires_at": case((stale | renewed, fresh.expires_at), else_=Throttle.expires_at),
    }
    return insert.on_conflict_do_update(
        index_elements=[Throttle.key], set_=values, where=allowed
    ).returning(Throttle.key)


def _first(key: str, bucket: Bucket, now: datetime) -> dict[str, object]:
    """The row of a bucket with one try in it."""
    window = bucket.per if isinstance(bucket, Budget) else bucket.memory
    wait = timedelta()
    if isinstance(bucket, Backoff) and bucket.free == 1:
        wait = _delays(bucket.longest)[0]
    return {"key": key, "count": 1, "blocked_until": now + wait, "expires_at": now + window}


def _doors(
    backoffs: dict[str, Backoff], over: ColumnElement[int], now: datetime
) -> list[tuple[ColumnElement[bool], ColumnElement[datetime]]]:
    """When a row opens again that holds so many tries `over` the free ones; 0 took the last of them."""
    doors: list[tuple[ColumnElement[bool], ColumnElement[datetime]]] = []
    for longest in {one.longest for one in backoffs.values()}:
        theirs = Throttle.key.in_([key for key, one in backoffs.items() if one.longest == longest])
        for number, delay in enumerate(_delays(longest)):
            doors.append((theirs & (over == number), _moment(now + delay)))
        doors.append((theirs & (over > 0), _moment(now + longest)))
    return doors


def _delays(longest: timedelta) -> list[timedelta]:
    """1, 2, 4 … seconds, as far as they are shorter than the longest; and that."""
    doubled = [timedelta(seconds=2**number) for number in range(20)]
    return [*(delay for delay in doubled if delay < longest), longest]


def _free(bucket: Bucket) -> int:
    return bucket.limit if isinstance(bucket, Budget) else bucket.free


def _from_last(bucket: Bucket) -> bool:
    """Whether what it holds is remembered from the last try on."""
    return bucket.from_last if isinstance(bucket, Budget) else not bucket.from_first


def _moment(value: datetime) -> ColumnElement[datetime]:
    return literal(value, UtcDateTime)
