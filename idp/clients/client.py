"""A registered relying party and its secrets."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from idp import clock
from idp.clients.registration import Registration, Stored
from idp.extensions import Base


class Client(Base):
    """One registered relying party; `client_id` is its public name."""

    __tablename__ = "client"

    id: Mapped[int] = mapped_column(primary_key=True)
    client_id: Mapped[str] = mapped_column(String(64), unique=True)
    registration: Mapped[Registration] = mapped_column(Stored)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now, onupdate=clock.now)
    # Of the token with which it changes its own registration; None: administrators registered it.
    management_digest: Mapped[str | None] = mapped_column(String(64))
    # When it goes if nobody has used it; None: it stays.
    kept_until: Mapped[datetime | None] = mapped_column(index=True)

    secrets: Mapped[list["ClientSecret"]] = relationship(
        cascade="all, delete-orphan", passive_deletes=True, order_by="ClientSecret.id"
    )

    @property
    def working_secrets(self) -> list[datetime | None]:
        """When each secret ends that works now; None: it stays."""
        ends = [one.expires_at for one in self.secrets]
        return [end for end in ends if end is None or end > clock.now()]


class ClientSecret(Base):
    """A generated secret, stored as SHA-256. Two may overlap while an application changes over."""

    __tablename__ = "client_secret"

    id: Mapped[int] = mapped_column(primary_key=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("client.id", ondelete="CASCADE"), index=True)
    digest: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    expires_at: Mapped[datetime | None]
