"""Initial access tokens (RFC 7591 1.2): what an administrator hands to whoever may register an application."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import String, delete, select, update
from sqlalchemy.orm import Mapped, mapped_column

from idp import clock
from idp.extensions import Base, affected, db
from idp.security import tokens


class RegistrationToken(Base):
    """One of them, good for some registrations until `expires_at`; `note` says what it was made for.

    `require_pkce`: whether what proves who it is needs PKCE nevertheless.
    """

    __tablename__ = "registration_token"

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    note: Mapped[str] = mapped_column(String(100))
    actor: Mapped[str] = mapped_column(String(100))
    uses_left: Mapped[int]
    require_pkce: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    expires_at: Mapped[datetime] = mapped_column(index=True)


@dataclass(frozen=True)
class Usable:
    """A token with which something can be registered."""

    number: int
    require_pkce: bool


def issue(
    note: str, *, uses: int, lives: timedelta, actor: str, require_pkce: bool = True
) -> tuple[RegistrationToken, str]:
    """Make one, in the caller's transaction; the row, and the value, which is not kept."""
    value = tokens.new_token()
    row = RegistrationToken(
        digest=tokens.digest(value),
        note=note,
        actor=actor[:100],
        uses_left=uses,
        require_pkce=require_pkce,
        expires_at=clock.now() + lives,
    )
    db.session.add(row)
    db.session.flush()
    return row, value


def find(value: str) -> Usable | None:
    """What the token is good for, if something can be registered with it now."""
    row = db.session.execute(
        select(RegistrationToken.id, RegistrationToken.require_pkce).where(
            RegistrationToken.digest == tokens.digest(value),
            RegistrationToken.uses_left > 0,
            RegistrationToken.expires_at > clock.now(),
        )
    ).one_or_none()
    return Usable(*row) if row else None


def use(number: int) -> bool:
    """Take one registration out of it: False when somebody else took the last."""
    return bool(
        affected(
            update(RegistrationToken)
            .where(RegistrationToken.id == number, RegistrationToken.uses_left > 0)
            .where(RegistrationToken.expires_at > clock.now())
            .values(uses_left=RegistrationToken.uses_left - 1)
        )
    )


def listing() -> list[RegistrationToken]:
    """All that are not over, oldest first."""
    living = RegistrationToken.expires_at > clock.now()
    return [
        *db.session.scalars(select(RegistrationToken).where(living).order_by(RegistrationToken.id))
    ]


def end(number: int) -> bool:
    """Nothing is registered with it any more. False when there is none of this number."""
    return bool(affected(delete(RegistrationToken).where(RegistrationToken.id == number)))


def purge(limit: int) -> int:
    """Delete up to `limit` tokens whose time is over; how many went."""
    over = select(RegistrationToken.id).where(RegistrationToken.expires_at < clock.now())
    return affected(delete(RegistrationToken).where(RegistrationToken.id.in_(over.limit(limit))))
