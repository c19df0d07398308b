"""What a relying party knows a person by: `sub`, the same for all or one for each sector (OIDC Core 8)."""

import hmac
from collections.abc import Callable

from sqlalchemy import String, select
from sqlalchemy.orm import Mapped, mapped_column

from idp.clients.registration import Registration
from idp.extensions import Base, db
from idp.security import tokens


class PairwiseSalt(Base):
    """One row, made with the table and never changed."""

    __tablename__ = "pairwise_salt"

    value: Mapped[str] = mapped_column(String(43), primary_key=True)


def subject(sub: str, client: Registration) -> str:
    """The `sub` of an account (its own `sub`) at a client; one statement where it is pairwise.

    Nobody who knows it learns the account's, nor that of another sector.
    """
    return for_many(client)(sub)


def for_many(client: Registration) -> Callable[[str], str]:
    """`subject` for one client and many accounts, with one statement for all of them."""
    if client.subject_type != "pairwise":
        return lambda sub: sub
    salt = db.session.scalars(select(PairwiseSalt.value)).one().encode()
    sector = client.sector

    def pairwise(sub: str) -> str:
        return tokens.base64url(hmac.digest(salt, f"{sector}\0{sub}".encode(), "sha256"))

    return pairwise
