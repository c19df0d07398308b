"""A row of an old store, known by its immutable key there; claimed by at most one account."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint, delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from idp import clock
from idp.extensions import Base, RowId, affected, db, settings, unreferred
from idp.legacy import copies


class LegacyIdentity(Base):
    """(source, key), never the typed text. `account_id` is the claim. `identifier` is what the person was
    called there: relying parties know them so, and some old systems are asked about them so."""

    __tablename__ = "legacy_identity"
    __table_args__ = (UniqueConstraint("source", "key"),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    source: Mapped[str] = mapped_column(String(64))
    key: Mapped[str] = mapped_column(String(255))
    identifier: Mapped[str | None] = mapped_column(String(254))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    claimed_at: Mapped[datetime | None]
    # When its source is told, or told again, that it was claimed; None: there is nothing to tell.
    call_due_at: Mapped[datetime | None] = mapped_column(index=True)
    call_since: Mapped[datetime | None]
    call_attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    call_error: Mapped[str | None] = mapped_column(String(100))
    # When nobody could sign in over there any more, as far as is known.
    door_closed_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)


def find(source: str, key: str) -> LegacyIdentity | None:
    """The identity with this key in this source, when we have met it."""
    return db.session.scalar(
        select(LegacyIdentity).where(LegacyIdentity.source == source, LegacyIdentity.key == key)
    )


def meet(source: str, key: str, identifier: str | None = None) -> LegacyIdentity:
    """The identity, on first sight inserted and called so; two requests at once get the same row."""
    known = find(source, key)
    if known:
        return known
    try:
        with db.session.begin_nested():
            identity = LegacyIdentity(source=source, key=key, identifier=identifier)
            db.session.add(identity)
    except IntegrityError:
        known = find(source, key)
        assert known is not None, "the row that was in the way"
        return known
    return identity


def meet_alone(source: str, key: str, identifier: str | None = None) -> LegacyIdentity:
    """As `meet`; until the transaction ends, whoever else calls this for the same row waits."""
    while True:
        identity_id = meet(source, key, identifier).id
        mine = select(LegacyIdentity).where(LegacyIdentity.id == identity_id).with_for_update()
        identity = db.session.scalar(mine.execution_options(populate_existing=True))
        if identity is not None:
            return identity
        # Purged between the two looks: meet it again.
        db.session.expire_all()


def claimant(source: str, key: str) -> int | None:
    """Row id of the account that holds the identity, if any."""
    identity = find(source, key)
    return identity.account_id if identity else None


def claimed_by(identity_id: int) -> int | None:
    """Row id of the account that holds it now, if any."""
    return db.session.scalar(
        select(LegacyIdentity.account_id).where(LegacyIdentity.id == identity_id)
    )


def claim(identity_id: int, account_id: int) -> bool:
    """Give the identity to the account; False when somebody was first. What a copy says of it is erased."""
    unclaimed = (LegacyIdentity.id == identity_id, LegacyIdentity.account_id.is_(None))
    now = clock.now()
    claimed = affected(
        update(LegacyIdentity).where(*unclaimed).values(account_id=account_id, claimed_at=now)
    )
    if claimed:
        identity = db.session.get_one(LegacyIdentity, identity_id)
        copies.erase(identity.source, identity.key)
    return bool(claimed)


def release(identity_id: int) -> None:
    """Take the claim back. What a copy said of the row was erased with the claim: it has to be loaded again."""
    nobodys = {"account_id": None, "claimed_at": None, "door_closed_at": None}
    untold = {"call_due_at": None, "call_since": None, "call_attempts": 0, "call_error": None}
    row = update(LegacyIdentity).where(LegacyIdentity.id == identity_id)
    db.session.execute(row.values(**nobodys, **untold, created_at=clock.now()))


def hand_over(account_id: int, into: int) -> list[int]:
    """Give all that an account has claimed to another one; their row ids."""
    theirs = [identity.id for identity in held_by(account_id)]
    moved = update(LegacyIdentity).where(LegacyIdentity.id.in_(theirs))
    db.session.execute(moved.values(account_id=into))
    return theirs


def held_by(account_id: int) -> list[LegacyIdentity]:
    """The identities that an account has claimed, in the order of claiming."""
    return list(
        db.session.scalars(
            select(LegacyIdentity)
            .where(LegacyIdentity.account_id == account_id)
            .order_by(LegacyIdentity.claimed_at, LegacyIdentity.id)
        )
    )


def identifiers(account_id: int, sources: Collection[str]) -> dict[str, list[str]]:
    """The old identifiers that an account holds in these sources, by source."""
    found: dict[str, list[str]] = {}
    for source, identifier in db.session.execute(
        select(LegacyIdentity.source, LegacyIdentity.identifier)
        .where(LegacyIdentity.account_id == account_id, LegacyIdentity.source.in_(sources))
        .where(LegacyIdentity.identifier.is_not(None))
        .order_by(LegacyIdentity.source, LegacyIdentity.id)
    ):
        found.setdefault(source, []).append(str(identifier))
    return found


def purge(limit: int) -> int:
    """Delete up to `limit` identities that nobody claimed and nothing refers to any more; how many went.

    Whoever comes after all is met again.
    """
    over = clock.now() - settings.case_lifetime
    unclaimed = select(LegacyIdentity.id).where(
        LegacyIdentity.account_id.is_(None),
        LegacyIdentity.created_at < over,
        *unreferred(LegacyIdentity.id),
    )
    ids = db.session.scalars(unclaimed.limit(limit).with_for_update(skip_locked=True)).all()
    # Looked at again: what was locked a moment ago may have been met since.
    still = (LegacyIdentity.account_id.is_(None), *unreferred(LegacyIdentity.id))
    return affected(delete(LegacyIdentity).where(LegacyIdentity.id.in_(ids), *still))
