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
from itertools import takewhile
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    String,
    Table,
    bindparam,
    case,
    delete,
    literal,
    select,
    true,
    union_all,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql.dml import ReturningInsert
from sqlalchemy.types import TypeEngine

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

_SECOND = timedelta(seconds=1)
"""The first wait of a back-off."""


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
    taken = _take(asked, now)
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
            expires_at=case((ends, literal(now, UtcDateTime())), else_=Throttle.expires_at),
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


def _take(asked: dict[str, Bucket], now: datetime) -> set[str]:
    """One try out of each bucket that has one left, in the order of the keys; which had."""
    doors = _waits_up_to(asked.values())
    told: dict[str, object] = {f"door{number}": now + wait for number, wait in enumerate(doors)}
    for row, (key, bucket) in enumerate(sorted(asked.items())):
        told |= _terms(row, key, bucket, now)
    told["now"] = now
    told["backoffs"] = [key for key, one in asked.items() if isinstance(one, Backoff)]
    told["renewed"] = [key for key, one in asked.items() if _from_last(one)]
    statement = _taking(db.engine.dialect.name, len(asked), len(doors))
    return set(db.session.scalars(statement, told))


def _terms(row: int, key: str, bucket: Bucket, now: datetime) -> dict[str, object]:
    """What `_taking` is told of one bucket; a budget opens at once, when it has a try to give."""
    terms = {"key": key, "free": bucket.limit if isinstance(bucket, Budget) else bucket.free}
    first = longest = timedelta()
    if isinstance(bucket, Backoff):
        longest = bucket.longest
        first = min(_SECOND, longest) if bucket.free == 1 else first
    window = bucket.per if isinstance(bucket, Budget) else bucket.memory
    moments = {"blocked": now + first, "expires": now + window, "longest": now + longest}
    return {f"{name}{row}": value for name, value in (terms | moments).items()}


def _waits_up_to(asked: Iterable[Bucket]) -> list[timedelta]:
    """1, 2, 4 … seconds, as far as they are shorter than the longest wait of one of them."""
    longest = max((one.longest for one in asked if isinstance(one, Backoff)), default=timedelta())
    return list(takewhile(lambda wait: wait < longest, (_SECOND * 2**door for door in range(20))))


@cache
def _taking(_engine: str, size: int, doors: int) -> ReturningInsert[str]:
    """One try into each of `size` rows that has one left; RETURNING tells which had. Kept as `_once` is.

    Whoever takes the last free try, or one more, shuts the row for the first of as many `doors` as they are
    over, but never for longer than its own longest wait.
    """
    table = cast("Table", Throttle.__table__)
    insert = upsert(table).from_select(
        ["key", "count", "blocked_until", "expires_at"], union_all(*map(_first, range(size)))
    )
    fresh, held, now = insert.excluded, table.c.count, _moment("now")
    over = held + 1 - _own("free", Integer(), size)
    longest = _own("longest", UtcDateTime(), size)
    stale = table.c.expires_at <= now
    opened = _among("backoffs") & (table.c.blocked_until <= now)
    shut = [(over == door, _earlier(_moment(f"door{door}"), longest)) for door in range(doors)]
    values = {
        "count": case((stale, 1), else_=held + 1),
        "blocked_until": case((stale, fresh.blocked_until), (over < 0, now), *shut, else_=longest),
        "expires_at": case((stale | _among("renewed"), fresh.expires_at), else_=table.c.expires_at),
    }
    # Free tries are free at whatever moment another process says it is.
    return insert.on_conflict_do_update(
        index_elements=[table.c.key], set_=values, where=stale | (over <= 0) | opened
    ).returning(table.c.key)


def _first(row: int) -> Select[str, int, datetime, datetime]:
    """A bucket with one try in it. Without WHERE, SQLite would take what follows for a join."""
    moments = (_moment(f"blocked{row}"), _moment(f"expires{row}"))
    return select(_text(f"key{row}"), literal(1), *moments).where(true())


def _own(name: str, kind: TypeEngine[Any], size: int) -> ColumnElement[Any]:
    """What was told of the row at hand under this name."""
    told = {_text(f"key{row}"): bindparam(f"{name}{row}", type_=kind) for row in range(size)}
    return case(told, value=Throttle.key)


def _text(name: str) -> ColumnElement[str]:
    return bindparam(name, type_=String())


def _among(name: str) -> ColumnElement[bool]:
    return Throttle.key.in_(bindparam(name, expanding=True))


def _earlier(
    one: ColumnElement[datetime], other: ColumnElement[datetime]
) -> ColumnElement[datetime]:
    return case((one < other, one), else_=other)


def _moment(name: str) -> ColumnElement[datetime]:
    return bindparam(name, type_=UtcDateTime())


def _from_last(bucket: Bucket) -> bool:
    """Whether what it holds is remembered from the last try on."""
    return bucket.from_last if isinstance(bucket, Budget) else not bucket.from_first
