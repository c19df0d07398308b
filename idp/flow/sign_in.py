"""The first factor: an account's password, or a legacy one that opens a migration.

The try is reserved and committed first; then hashes are compared and old systems asked without any
connection held; then one transaction records what was found. A failure is answered no sooner than the
floor, whoever it was for; so that those who wait for it cannot hold every thread, only so many are
checked at a time.
"""

import enum
import time
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from idp.accounts import account as accounts
from idp.accounts import password as passwords
from idp.audit import events
from idp.extensions import release, transaction
from idp.flow import floor, moved, on_record, second_factor, tries
from idp.flow.interaction import (
    Interaction,
    forget_proofs,
    forget_sign_in,
    restart,
)
from idp.flow.position import Position, acting
from idp.flow.tries import Tries, Visitor
from idp.legacy import identity as identities
from idp.legacy import registry as legacy
from idp.legacy.source import Claimed, Held, Match, Person, SourceOptions, in_words
from idp.migration import campaign, cases
from idp.migration.campaign import Door
from idp.migration.models import MigrationCase


@dataclass(frozen=True)
class SignedIn:
    """The password was right. The interaction may be a fresh one, when another person signed in."""

    interaction_id: str


class Refusal(enum.Enum):
    """Why a sign-in was refused. BUSY and THROTTLED are told at once, before anything was looked at or
    compared; all others but WRONG after the right password only."""

    WRONG = "wrong"
    BUSY = "busy"
    THROTTLED = "throttled"
    LOCKED = "locked"
    MUST_CHANGE = "must-change"
    RECOVERY = "recovery"
    SUPPORT = "support"
    MOVED = "moved"


@dataclass(frozen=True)
class SignInRefused:
    """What else may be the reason, whoever it was for: `source_unavailable`, an old system does not answer;
    `door`, old identifiers are not accepted now. `reference` names the case for support; `identifier` is the
    new one, masked. `why` is for operators only."""

    reason: Refusal
    wait: timedelta | None = None
    source_unavailable: bool = False
    door: Door = campaign.OPEN
    reference: str | None = None
    identifier: str | None = None
    why: str = ""


@dataclass(frozen=True)
class _Attempt:
    """What one try needs after the connection was let go."""

    position: Position
    identifier: str
    password: str
    network: str
    tries: Tries


@dataclass(frozen=True)
class _Known:
    """The account's columns that a comparison needs."""

    id: int
    sub: str
    epoch: int
    password_hash: str
    active: bool


def sign_in(
    position: Position, identifier: str, password: str, visitor: Visitor
) -> SignedIn | SignInRefused:
    """Check an identifier and password typed on the sign-in page by a visitor."""
    with floor.slot() as free:
        if not free:
            return SignInRefused(Refusal.BUSY)
        began = time.monotonic()
        outcome = _sign_in(position, identifier, password, visitor)
        if isinstance(outcome, SignInRefused) and outcome.reason is not Refusal.THROTTLED:
            floor.wait(began)
        return outcome


def _sign_in(
    position: Position, identifier: str, password: str, visitor: Visitor
) -> SignedIn | SignInRefused:
    key = tries.key_of(identifier)
    with acting(position) as now:
        now.interaction.identifier = tries.printable(identifier)
        known = _known(key)
        counted = _tries(key, known, visitor)
        wait = counted.reserve()
        if wait and events.due(f"throttled:{now.interaction.id}"):
            _note_failure(now, Refusal.THROTTLED)
    if wait:
        return SignInRefused(Refusal.THROTTLED, wait)
    attempt = _Attempt(position, identifier, password, visitor.network, counted)
    outcome = _local(attempt, known) if known else _legacy(attempt)
    if isinstance(outcome, SignInRefused):
        with transaction():
            _note_failure(position, outcome.reason, outcome.why)
    return outcome


def _note_failure(position: Position, reason: Refusal, why: str = "") -> None:
    events.sign_in_failed(
        reason=reason.value,
        why=why,
        client_id=position.client.client_id,
        reference=position.reference,
    )


def _tries(key: str, known: _Known | None, visitor: Visitor) -> Tries:
    if known and visitor.knows(known.sub, known.epoch):
        return tries.at_known_account(known.sub, visitor.network)
    return tries.at_identifier(key, visitor.network)


def _known(key: str) -> _Known | None:
    account = accounts.by_email_key(key)
    if account is None:
        return None
    return _Known(
        id=account.id,
        sub=account.sub,
        epoch=account.epoch,
        password_hash=account.password_hash,
        active=account.active,
    )


def _local(attempt: _Attempt, known: _Known) -> SignedIn | SignInRefused:
    """An account has this address: no old system is asked, whatever the password."""
    release()
    check = passwords.check_password(known.password_hash, attempt.password)
    if not check.right or not known.active:
        return _wrong("blocked account" if check.right else "wrong password")
    with acting(attempt.position) as now:
        if check.rehash:
            accounts.replace_hash(known.id, old=known.password_hash, new=check.rehash)
        outcome = _on_to_the_code(now, known)
        tries.give_back(attempt.tries)
        return outcome


def _on_to_the_code(now: Position, known: _Known) -> SignedIn | SignInRefused:
    if not second_factor.possible(known.id):
        return SignInRefused(Refusal.RECOVERY)
    interaction = _interaction_for(now.interaction, known.id)
    account = accounts.by_id(known.id)
    assert account is not None, "accounts are never deleted"
    second_factor.begin(now, interaction, account, known.epoch)
    return SignedIn(interaction.id)


def _interaction_for(posted: Interaction, account_id: int | None) -> Interaction:
    """The interaction, with nothing proven. After a migration it is the migrated account's alone: anybody
    else begins a fresh one."""
    migrated = posted.migrated_account_id
    interaction = posted if migrated in {None, account_id} else restart(posted)
    forget_sign_in(interaction)
    forget_proofs(interaction)
    return interaction


def _legacy(attempt: _Attempt) -> SignedIn | SignInRefused:
    """No account has this address: ask the old systems, holding no connection of our own.

    They are never asked about an empty password, which some take for an anonymous sign-in, nor while the
    campaign has shut their door.
    """
    door = campaign.door()
    release()
    if not attempt.password:
        return _wrong("no password", door)
    admit = partial(_admit, attempt)
    answer = legacy.ask(attempt.identifier, attempt.password, admit, door.shut)
    match answer:
        case Match(person=Person(locked=True)):
            return _told(attempt, answer, Refusal.LOCKED)
        case Match(person=Person(must_change=True)):
            return _told(attempt, answer, Refusal.MUST_CHANGE)
        case Match():
            return _open_case(attempt, answer)
        case Claimed(account_id=holder):
            return _moved(attempt, holder) or _wrong("migrated already", door)
        case _:
            return _wrong(in_words(answer), door)


def _moved(attempt: _Attempt, holder: int) -> SignInRefused | None:
    """The old identifier of somebody who has migrated, perhaps with the new password."""
    identifier = moved.new_identifier(holder, attempt.password, attempt.network)
    if identifier is None:
        return None
    with transaction():
        tries.give_back(attempt.tries)
    return SignInRefused(Refusal.MOVED, identifier=identifier)


def _admit(attempt: _Attempt, source: SourceOptions, key: str) -> Claimed | Held | None:
    """A row is one row, however its identifier was spelt: tries are counted for it as well.

    That it has none left is not told: it would tell that there is such a row.
    """
    holder = identities.claimant(source.name, key)
    if holder is not None:
        release()
        return Claimed(holder)
    with transaction():
        wait = tries.at_row(source, key, attempt.network).reserve()
    return Held(wait) if wait else None


def _open_case(attempt: _Attempt, match: Match) -> SignedIn | SignInRefused:
    legacy_hash = passwords.hash_verbatim(attempt.password)
    with acting(attempt.position) as now:
        case = cases.open_or_resume(cases.Known.of(match.source, match.person, attempt.identifier))
        if case is not None:
            interaction = _go_on(now, case, match)
            if interaction is not None:
                interaction.legacy_password_hash = legacy_hash
            _give_back(attempt, match)
            if interaction is None:
                return SignInRefused(Refusal.SUPPORT, reference=case.reference)
            return SignedIn(interaction.id)
    return _wrong("migrated already")


def _go_on(now: Position, case: MigrationCase, match: Match) -> Interaction | None:
    """The interaction that migrates; None where only support can open the case."""
    if not case.open:
        return None
    interaction = _interaction_for(now.interaction, None)
    return interaction if on_record.demand(now, interaction, case, match) else None


def _told(attempt: _Attempt, match: Match, reason: Refusal) -> SignInRefused:
    """The password was right, so the try is given back and the reason told."""
    with transaction():
        _give_back(attempt, match)
    return SignInRefused(reason)


def _give_back(attempt: _Attempt, match: Match) -> None:
    source = legacy.current().options(match.source)
    tries.give_back(attempt.tries, tries.at_row(source, match.person.key, attempt.network))


def _wrong(why: str, door: Door | None = None) -> SignInRefused:
    """What is said follows from the state of the old systems and never from who was meant."""
    if door is None:
        door = campaign.door()
        release()
    unavailable = door.open and not legacy.all_available(door.shut)
    return SignInRefused(Refusal.WRONG, source_unavailable=unavailable, door=door, why=why)
