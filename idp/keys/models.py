"""The signing key row."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from idp import clock
from idp.extensions import Base


class SigningKey(Base):
    """A key pair: published from creation to `retire_at`, signing from `activate_at` to `expire_at`.

    Until `known_until` it reads hints; `private` is erased before, once it is published no more.
    """

    __tablename__ = "signing_key"

    kid: Mapped[str] = mapped_column(String(43), primary_key=True)
    alg: Mapped[str] = mapped_column(String(16), index=True)
    public: Mapped[dict[str, Any]] = mapped_column(JSON)
    private: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    activate_at: Mapped[datetime]
    expire_at: Mapped[datetime]
    retire_at: Mapped[datetime]
    known_until: Mapped[datetime] = mapped_column(index=True)
