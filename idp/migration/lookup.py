"""Cases as support looks for them: by reference, by old identity, by what became of them."""

import enum

from sqlalchemy import ColumnElement, and_, false, func, not_, or_, select

from idp import clock
from idp.accounts import account as accounts
from idp.accounts.addresses import email_key
from idp.extensions import db
from idp.legacy import identity as identities
from idp.legacy.identity import LegacyIdentity
from idp.migration import cases
from idp.migration.models import MigrationCase
from idp.security.readable import as_written


class State(enum.StrEnum):
    """DISPUTED: somebody said «this was not me», before the end or after it. CONFLICT: the proven address was
    an account's, and no other was proven since."""

    OPEN = "open"
    CONFLICT = "conflict"
    DISPUTED = "disputed"
    EXPIRED = "expired"
    DONE = "done"


def state(case: MigrationCase) -> State:
    """What a case is first of all."""
    if case.disputed_at is not None:
        return State.DISPUTED
    if case.completed_at is not None:
        return State.DONE
    if case.expires_at <= clock.now():
        return State.EXPIRED
    met, proven = case.conflict_at, case.mailbox_proven_at
    return State.CONFLICT if met and not (proven and proven > met) else State.OPEN


def search(wanted: State | None, source: str | None, limit: int) -> list[MigrationCase]:
    """At most `limit` cases in this state, of this source, the last changed first."""
    found = select(MigrationCase).join(LegacyIdentity)
    if wanted is not None:
        found = found.where(_is(wanted))
    if source is not None:
        found = found.where(LegacyIdentity.source == source)
    ordered = found.order_by(MigrationCase.updated_at.desc(), MigrationCase.id.desc())
    return list(db.session.scalars(ordered.limit(limit)))


def by_reference(text: str) -> MigrationCase | None:
    """The case that somebody reads out."""
    named = MigrationCase.reference == as_written(text)
    return db.session.scalar(select(MigrationCase).where(named))


def identity_of(text: str) -> LegacyIdentity | None:
    """The old identity of a reference, of `SOURCE:KEY`, or of an old identifier that only one has.

    Also when its case was forgotten.
    """
    case = by_reference(text)
    if case is not None:
        return case.identity
    source, _colon, key = text.partition(":")
    return identities.find(source, key) or _called(text)


def _called(identifier: str) -> LegacyIdentity | None:
    """Who is called so in one old system and in no other. Nobody where it is another account's address."""
    same = func.lower(LegacyIdentity.identifier) == identifier.lower()
    found = db.session.scalars(select(LegacyIdentity).where(same).limit(2)).all()
    holder = accounts.by_email_key(email_key(identifier))
    if len(found) != 1 or (holder and found[0].account_id != holder.id):
        return None
    return found[0]


def case_of(text: str) -> MigrationCase | None:
    """The case of a reference, of `SOURCE:KEY`, or of an old identifier."""
    identity = identity_of(text)
    return cases.of_identity(identity.id) if identity else None


def by_address(address: str) -> MigrationCase | None:
    """The one case that chose this address, or has become its account."""
    holder = accounts.by_email_key(email_key(address))
    became = LegacyIdentity.account_id == holder.id if holder else false()
    chose = and_(
        MigrationCase.completed_at.is_(None), func.lower(MigrationCase.email) == address.lower()
    )
    found = select(MigrationCase).join(LegacyIdentity).where(or_(became, chose)).limit(2)
    rows = db.session.scalars(found).all()
    return rows[0] if len(rows) == 1 else None


def _is(wanted: State) -> ColumnElement[bool]:
    """The same as `state`, as SQL."""
    disputed, done = MigrationCase.disputed_at, MigrationCase.completed_at
    undone = and_(disputed.is_(None), done.is_(None))
    living = and_(undone, MigrationCase.expires_at > clock.now())
    met, proven = MigrationCase.conflict_at, MigrationCase.mailbox_proven_at
    conflict = and_(met.is_not(None), or_(proven.is_(None), proven <= met))
    conditions: dict[State, ColumnElement[bool]] = {
        State.DISPUTED: disputed.is_not(None),
        State.DONE: and_(disputed.is_(None), done.is_not(None)),
        State.EXPIRED: and_(undone, MigrationCase.expires_at <= clock.now()),
        State.OPEN: and_(living, not_(conflict)),
        State.CONFLICT: and_(living, conflict),
    }
    return conditions[wanted]
