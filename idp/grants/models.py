"""Rows of the room. A token is alive only while its code is not revoked and its epoch is the account's."""

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from idp import clock
from idp.accounts.account import Account
from idp.extensions import Base, RowId
from idp.sessions.models import Authentication


class AuthorizationCode(Base):
    """One code, kept after use: it is the root of every token that came from it.

    `used_at` is set by whoever redeems it first. `revoked_at` kills the code and all of its tokens,
    also those a slower request is about to insert.
    """

    __tablename__ = "authorization_code"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    authentication_id: Mapped[int] = mapped_column(ForeignKey("authentication.id"), index=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    epoch: Mapped[int]
    client_id: Mapped[int] = mapped_column(ForeignKey("client.id", ondelete="CASCADE"), index=True)
    sid: Mapped[str] = mapped_column(String(43))
    redirect_uri: Mapped[str] = mapped_column(String(2000))
    scope: Mapped[str] = mapped_column(String(1000))
    nonce: Mapped[str | None] = mapped_column(String(2000))
    code_challenge: Mapped[str | None] = mapped_column(String(128))
    claims: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    resources: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    jkt: Mapped[str | None] = mapped_column(String(43))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    keep_until: Mapped[datetime] = mapped_column(index=True)

    authentication: Mapped[Authentication] = relationship(lazy="raise")
    account: Mapped[Account] = relationship(lazy="raise")


class TokenKind(enum.StrEnum):
    """The two kinds of token that are looked up by value."""

    ACCESS = "access"
    REFRESH = "refresh"


class Token(Base):
    """An access or refresh token, stored as SHA-256.

    An access token is for the resource server of the address `resource`, or for our userinfo. `jkt` is the
    thumbprint of the key without which it is worth nothing.
    """

    __tablename__ = "token"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    kind: Mapped[TokenKind]
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    code_id: Mapped[int] = mapped_column(
        ForeignKey("authorization_code.id", ondelete="CASCADE"), index=True
    )
    authentication_id: Mapped[int] = mapped_column(ForeignKey("authentication.id"), index=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    epoch: Mapped[int]
    client_id: Mapped[int] = mapped_column(ForeignKey("client.id", ondelete="CASCADE"), index=True)
    scope: Mapped[str] = mapped_column(String(1000))
    resource: Mapped[str | None] = mapped_column(String(2000))
    jkt: Mapped[str | None] = mapped_column(String(43))
    issued_at: Mapped[datetime] = mapped_column(default=clock.now)
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]

    code: Mapped[AuthorizationCode] = relationship(lazy="raise")
    account: Mapped[Account] = relationship(lazy="raise")
    authentication: Mapped[Authentication] = relationship(lazy="raise")


class ClientToken(Base):
    """An access token that a client has for itself and no person (RFC 6749 4.4), stored as SHA-256."""

    __tablename__ = "client_token"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("client.id", ondelete="CASCADE"), index=True)
    scope: Mapped[str] = mapped_column(String(1000))
    resource: Mapped[str] = mapped_column(String(2000))
    jkt: Mapped[str | None] = mapped_column(String(43))
    issued_at: Mapped[datetime] = mapped_column(default=clock.now)
    expires_at: Mapped[datetime] = mapped_column(index=True)
