"""Old identifier to `sub`, for a relying party that takes its data over."""

from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import Select, func, select

from idp.accounts.account import Account
from idp.clients import subjects
from idp.clients.registration import Registration
from idp.extensions import db, snapshot
from idp.legacy.identity import LegacyIdentity


class Entry(NamedTuple):
    """One old identity that an account holds; `identifier` is empty where it is not known, `sub` is what
    the client knows the person by."""

    source: str
    identifier: str
    key: str
    sub: str


def count(sources: tuple[str, ...]) -> int:
    """How many entries there are."""
    return db.session.scalar(select(func.count()).select_from(_held(sources).subquery())) or 0


def entries(client: Registration) -> Iterator[Entry]:
    """Every entry of the client's sources, in the order of source and key, read in bounded memory."""
    ordered = _held(client.legacy_sources).order_by(LegacyIdentity.source, LegacyIdentity.key)
    known = subjects.for_many(client)
    with snapshot() as connection:
        for row in connection.execute(ordered):
            yield Entry(row.source, row.identifier or "", row.key, known(row.sub))


def _held(sources: tuple[str, ...]) -> Select[str, str | None, str, str]:
    columns = (LegacyIdentity.source, LegacyIdentity.identifier, LegacyIdentity.key, Account.sub)
    return (
        select(*columns)
        .join(Account, Account.id == LegacyIdentity.account_id)
        .where(LegacyIdentity.source.in_(sources))
    )
