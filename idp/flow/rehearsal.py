"""A legacy sign-in as it would go, for an operator: nothing is written, and no try is counted here.

An old system that counts wrong passwords itself does count this one.
"""

import enum
import time
from dataclasses import dataclass

from sqlalchemy import select

from idp import clock
from idp.accounts import account as accounts
from idp.accounts.account import Account
from idp.accounts.addresses import parse_email
from idp.extensions import db, release
from idp.flow import on_record, tries
from idp.legacy import identity as identities
from idp.legacy import registry
from idp.legacy.source import (
    Answer,
    Claimed,
    LegacySource,
    Match,
    Person,
    Proof,
    Unavailable,
    Unknown,
)
from idp.migration import campaign
from idp.migration.models import MigrationCase


class Shut(enum.Enum):
    """The campaign lets nobody ask this source now."""

    SHUT = "shut"


class Next(enum.Enum):
    """What the person would meet."""

    LOCAL = "an account has this address: its own password is asked for, no source"
    NEW_CASE = "a new case: the person is asked for an address"
    CONTACT = "a code goes to the contact on record first"
    NO_CONTACT = "nothing to send a code to is on record: the person is sent to support"
    INVITATION = "the person is asked for an invitation first"
    RESUMED = "the case that is under way goes on"
    DISPUTED = "somebody said «this was not me»: the person is sent to support"
    LOCKED = "the person is told that the old account is locked"
    MUST_CHANGE = "the person is told to change the password in the old system first"
    REFUSED = "the sign-in is refused, like every wrong one"


@dataclass(frozen=True)
class Asked:
    """A source and what it answered, in so many seconds."""

    source: str
    answer: Answer | Shut
    seconds: float = 0.0


@dataclass(frozen=True)
class Rehearsal:
    """How it would go. `holder`: the `sub` that has the address typed, or the identity; `reference`: of the
    case under way; `taken_by`: the `sub` that has the address on record of whoever comes."""

    next: Next
    asked: tuple[Asked, ...] = ()
    person: Person | None = None
    holder: str | None = None
    reference: str | None = None
    taken_by: str | None = None


def rehearse(identifier: str, password: str) -> Rehearsal:
    """Walk one sign-in. Holds no connection while a source is asked."""
    account = accounts.by_email_key(tries.key_of(identifier))
    if account is not None:
        return Rehearsal(Next.LOCAL, holder=account.sub)
    asked, holders = _ask(identifier, password)
    last = asked[-1].answer if asked else Unknown()
    if not isinstance(last, Match):
        return Rehearsal(Next.REFUSED, asked, holder=holders[-1] if holders else None)
    return _arrived(last, asked)


def _ask(identifier: str, password: str) -> tuple[tuple[Asked, ...], list[str]]:
    """Each source in turn, until one decides; and the accounts that hold a row that was found."""
    shut = campaign.door().shut
    asked, holders = list[Asked](), list[str]()
    for source in registry.current().sources:
        if source.options.name in shut:
            asked.append(Asked(source.options.name, Shut.SHUT))
            continue
        answer, seconds = _one(source, identifier, password, holders)
        asked.append(Asked(source.options.name, answer, seconds))
        if not isinstance(answer, Unknown | Unavailable):
            break
    return tuple(asked), holders


def _one(
    source: LegacySource, identifier: str, password: str, holders: list[str]
) -> tuple[Answer, float]:
    def admit(key: str) -> Claimed | None:
        holder = _holder(source.options.name, key)
        release()
        holders.extend([holder] if holder else [])
        return Claimed() if holder else None

    release()
    begun = time.monotonic()
    # Some systems take an empty password for an anonymous sign-in.
    answer = source.authenticate(identifier, password, admit) if password else Unknown()
    return answer, time.monotonic() - begun


def _arrived(match: Match, asked: tuple[Asked, ...]) -> Rehearsal:
    person, case = match.person, _case(match.source, match.person.key)
    address = parse_email(person.email)
    other = accounts.by_email_key(address.key) if address else None
    if case is not None and case.disputed_at is not None:
        then = Next.DISPUTED
    else:
        then = _after_the_password(match) or (Next.RESUMED if case else Next.NEW_CASE)
    reference = case.reference if case else None
    return Rehearsal(then, asked, person, None, reference, other.sub if other else None)


def _after_the_password(match: Match) -> Next | None:
    """What comes before the case."""
    person, proof = match.person, registry.current().proof(match.source)
    if person.locked:
        return Next.LOCKED
    if person.must_change:
        return Next.MUST_CHANGE
    if proof is Proof.CONTACT:
        return Next.CONTACT if on_record.contact_of(person.email, person.phone) else Next.NO_CONTACT
    return Next.INVITATION if proof is Proof.INVITE else None


def _holder(source: str, key: str) -> str | None:
    """The account that has claimed a row."""
    identity = identities.find(source, key)
    if identity is None or identity.account_id is None:
        return None
    return db.session.scalar(select(Account.sub).where(Account.id == identity.account_id))


def _case(source: str, key: str) -> MigrationCase | None:
    """The case that would be resumed."""
    identity = identities.find(source, key)
    if identity is None:
        return None
    mine = (MigrationCase.identity_id == identity.id, MigrationCase.completed_at.is_(None))
    return db.session.scalar(
        select(MigrationCase).where(*mine, MigrationCase.expires_at > clock.now())
    )
