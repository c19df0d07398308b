"""A row of an old store, known by its immutable key there; claimed by at most one account."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint, delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from idp import clock
from idp.extensions import Base, RowId, affected, db, settings, unreferred


class LegacyIdentity(Base):
    """(source, key), never the typed text. `account_id` is the claim."""

    __tablename__ = "legacy_identity"
    __table_args__ = (UniqueConstraint("source", "key"),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    source: Mapped[str] = mapped_column(String(64))
    key: Mapped[str] = mapped_column(String(255))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    claimed_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)


def find(source: str, key: str) -> LegacyIdentity | None:
    """The identity with this key in this source, when we have met it."""
    return db.session.scalar(
        select(LegacyIdentity).where(LegacyIdentity.source == source, LegacyIdentity.key == key)
    )


def meet(source: str, key: str) -> LegacyIdentity:
    """The identity, inserted on first sight; two requests at once get the same row."""
    known = find(source, key)
    if known:
        return known
    try:
        with db.session.begin_nested():
            identity = LegacyIdentity(source=source, key=key)
            db.session.add(identity)
    except IntegrityError:
        known = find(source, key)
        assert known is not None, "the row that was in the way"
        return known
    return identity


def meet_alone(source: str, key: str) -> LegacyIdentity:
    """As `meet`; until the transaction ends, whoever else calls this for the same row waits."""
    while True:
        identity_id = meet(source, key).id
        mine = select(LegacyIdentity).where(LegacyIdentity.id == identity_id).with_for_update()
        identity = db.session.scalar(mine.execution_options(populate_existing=True))
        if identity is not None:
            return identity
        # Purged between the two looks: meet it again.
        db.session.expire_all()


def is_claimed(source: str, key: str) -> bool:
    """True when an account holds the identity."""
    identity = find(source, key)
    return identity is not None and identity.account_id is not None


def claim(identity_id: int, account_id: int) -> bool:
    """Give the identity to the account; False when somebody was first."""
    return bool(
        affected(
            update(LegacyIdentity)
            .where(LegacyIdentity.id == identity_id, LegacyIdentity.account_id.is_(None))
            .values(account_id=account_id, claimed_at=clock.now())
        )
    )


def held_by(account_id: int) -> list[LegacyIdentity]:
    """The identities that an account has claimed, in the order of claiming."""
    return list(
        db.session.scalars(
            select(LegacyIdentity)
            .where(LegacyIdentity.account_id == account_id)
            .order_by(LegacyIdentity.claimed_at, LegacyIdentity.id)
        )
    )


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
