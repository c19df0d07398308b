"""What people agreed that applications of others may learn: one row for each person and application."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Text, UniqueConstraint, delete, literal, select, update
from sqlalchemy.orm import Mapped, mapped_column

from idp import clock
from idp.accounts import changes
from idp.extensions import Base, RowId, affected, db, upsert


class Consent(Base):
    """Names of scopes, agreed to at `given_at` or later. `used_at`: when the application last relied on it."""

    __tablename__ = "consent"
    __table_args__ = (UniqueConstraint("account_id", "client_id"),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    client_id: Mapped[int] = mapped_column(ForeignKey("client.id", ondelete="CASCADE"), index=True)
    # Of all times together: longer than any registration's.
    scope: Mapped[str] = mapped_column(Text)
    given_at: Mapped[datetime] = mapped_column(default=clock.now)
    used_at: Mapped[datetime] = mapped_column(default=clock.now)


@dataclass(frozen=True)
class Agreed:
    """One application (row id) that a person lets learn something."""

    client_id: int
    scopes: frozenset[str]
    given_at: datetime
    used_at: datetime


def agreed(account_id: int, client_id: int) -> frozenset[str]:
    """The scopes that the person agreed to at this client (row id); none without a row."""
    scope = db.session.scalar(select(Consent.scope).where(*_of(account_id, client_id)))
    return frozenset((scope or "").split())


def of_account(account_id: int) -> list[Agreed]:
    """Every application that the person agreed to."""
    rows = db.session.scalars(select(Consent).where(Consent.account_id == account_id))
    return [
        Agreed(row.client_id, frozenset(row.scope.split()), row.given_at, row.used_at)
        for row in rows
    ]


def give(account_id: int, client_id: int, scopes: frozenset[str]) -> None:
    """The person agreed to these, and to what they had agreed to before. Runs in the caller's transaction."""
    now = clock.now()
    row = {"account_id": account_id, "client_id": client_id, "given_at": now, "used_at": now}
    first = upsert(Consent).values(scope="", **row)
    db.session.execute(
        first.on_conflict_do_update(
            index_elements=[Consent.account_id, Consent.client_id], set_={"used_at": now}
        )
    )
    # The row is ours until the end of the transaction: nobody agrees to something else meanwhile.
    union = " ".join(sorted(agreed(account_id, client_id) | scopes))
    db.session.execute(update(Consent).where(*_of(account_id, client_id)).values(scope=union))


def use(account_id: int, client_id: int, scopes: frozenset[str]) -> bool:
    """Rely on it: False when it does not reach so far any more. Whoever withdraws it now waits for the
    caller's transaction, and then finds what was given out on it."""
    used = update(Consent).where(*_of(account_id, client_id)).values(used_at=clock.now())
    scope = db.session.scalar(used.returning(Consent.scope))
    return scope is not None and scopes <= frozenset(scope.split())


def withdraw(account_id: int, client_id: int) -> bool:
    """The person agrees no more; False when they had not. Runs in the caller's transaction."""
    return bool(affected(delete(Consent).where(*_of(account_id, client_id))))


def forget_client(client_id: int) -> None:
    """Nobody agrees any more to what an application (row id) has become. In the caller's transaction."""
    db.session.execute(delete(Consent).where(Consent.client_id == client_id))


def forget_scopes(scopes: Iterable[str]) -> None:
    """Nobody agrees any more to what is somebody else's now, or nobody's. In the caller's transaction."""
    for scope in scopes:
        among = (literal(" ") + Consent.scope + " ").contains(f" {scope} ", autoescape=True)
        for row in db.session.scalars(select(Consent).where(among)):
            row.scope = " ".join(one for one in row.scope.split() if one != scope)


def _of(account_id: int, client_id: int) -> tuple[Any, ...]:
    return Consent.account_id == account_id, Consent.client_id == client_id


def _forget(_sender: object, account_id: int) -> None:
    db.session.execute(delete(Consent).where(Consent.account_id == account_id))


changes.closed.connect(_forget)
