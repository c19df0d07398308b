"""Rows of the room; see `authentication` and `browser` for what may be done with them."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from idp import clock
from idp.challenges.challenge import Channel
from idp.extensions import Base, RowId


class Authentication(Base):
    """Both factors passed: who, when, by which challenge, under which epoch. Never changed."""

    __tablename__ = "authentication"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    epoch: Mapped[int]
    password_verified_at: Mapped[datetime]
    challenge_id: Mapped[int] = mapped_column(ForeignKey("challenge.id"), unique=True)
    channel: Mapped[Channel]
    interaction_id: Mapped[str] = mapped_column(String(43))
    authenticated_at: Mapped[datetime] = mapped_column(default=clock.now, index=True)


class BrowserSession(Base):
    """The SSO session of one browser. The cookie's digest is its only name."""

    __tablename__ = "browser_session"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    token: Mapped[str] = mapped_column(String(64), unique=True)
    authentication_id: Mapped[int] = mapped_column(ForeignKey("authentication.id"), index=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    epoch: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    seen_at: Mapped[datetime] = mapped_column(default=clock.now)
    expires_at: Mapped[datetime] = mapped_column(index=True)
    ended_at: Mapped[datetime | None]


class ClientSession(Base):
    """What one client knows a browser session by: its `sid` (OIDC Back-Channel Logout 2.1)."""

    __tablename__ = "client_session"
    __table_args__ = (UniqueConstraint("browser_session_id", "client_id"),)

    sid: Mapped[str] = mapped_column(String(43), primary_key=True)
    browser_session_id: Mapped[int] = mapped_column(
        ForeignKey("browser_session.id", ondelete="CASCADE")
    )
    client_id: Mapped[int] = mapped_column(ForeignKey("client.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
