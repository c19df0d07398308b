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

from idp import clock
from idp.accounts import account as accounts
from idp.accounts import password as passwords
from idp.audit import events
from idp.challenges import verify
from idp.extensions import release, settings, transaction
from idp.flow import codes, floor, tries
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
from idp.legacy.source import Claimed, Held, Match
from idp.migration import cases
from idp.security import throttle
from idp.security.throttle import Budget


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


@dataclass(frozen=True)
class SignInRefused:
    """`source_unavailable`: an old system does not answer, which may be the reason."""

    reason: Refusal
    wait: timedelta | None = None
    source_unavailable: bool = False


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
        if wait:
            _note_throttled(now, counted)
    if wait:
        return SignInRefused(Refusal.THROTTLED, wait)
    attempt = _Attempt(position, identifier, password, visitor.network, counted)
    outcome = _local(attempt, known) if known else _legacy(attempt)
    if isinstance(outcome, SignInRefused):
        with transaction():
            _note_failure(position, outcome.reason)
    return outcome


def _note_failure(position: Position, reason: Refusal) -> None:
    events.sign_in_failed(
        reason=reason.value,
        client_id=position.client.client_id,
        interaction=position.interaction.id,
    )


def _note_throttled(position: Position, counted: Tries) -> None:
    """Tries that are not even looked at cost nothing, so only one in a while is written."""
    if not throttle.reserve(Budget(f"audit:{counted.own[0].key}", 1, events.BOUND)):
        _note_failure(position, Refusal.THROTTLED)


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
        return _wrong()
    with acting(attempt.position) as now:
        if check.rehash:
            accounts.replace_hash(known.id, old=known.password_hash, new=check.rehash)
        outcome = _on_to_the_code(now, known)
        tries.give_back(attempt.tries)
        return outcome


def _on_to_the_code(now: Position, known: _Known) -> SignedIn | SignInRefused:
    if throttle.spent(verify.in_a_row(known.id)) >= settings.code_tries_in_a_row:
        return SignInRefused(Refusal.RECOVERY)
    interaction = _first_factor(now.interaction, known)
    account = accounts.by_id(known.id)
    assert account is not None, "accounts are never deleted"
    channel = codes.preferred_channel(interaction, account)
    codes.send_second_factor(now, interaction, account, channel)
    return SignedIn(interaction.id)


def _first_factor(posted: Interaction, known: _Known) -> Interaction:
    interaction = _interaction_for(posted, known.id)
    interaction.account_id = known.id
    interaction.password_epoch = known.epoch
    interaction.password_verified_at = clock.now()
    return interaction


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

    They are never asked about an empty password, which some take for an anonymous sign-in.
    """
    release()
    if not attempt.password:
        return _wrong()
    answer = legacy.ask(attempt.identifier, attempt.password, partial(_admit, attempt))
    match answer:
        case Match(locked=True):
            return _told(attempt, answer, Refusal.LOCKED)
        case Match(must_change=True):
            return _told(attempt, answer, Refusal.MUST_CHANGE)
        case Match():
            return _open_case(attempt, answer)
        case _:
            return _wrong()


def _admit(attempt: _Attempt, source: str, key: str) -> Claimed | Held | None:
    """A row is one row, however its identifier was spelt: tries are counted for it as well.

    That it has none left is not told: it would tell that there is such a row.
    """
    if identities.is_claimed(source, key):
        release()
        return Claimed()
    with transaction():
        wait = tries.at_row(source, key, attempt.network).reserve()
    return Held(wait) if wait else None


def _open_case(attempt: _Attempt, match: Match) -> SignedIn | SignInRefused:
    legacy_hash = passwords.hash_verbatim(attempt.password)
    with acting(attempt.position) as now:
        case = cases.open_or_resume(cases.Known(match.source, match.key, match.profile))
        if case is not None:
            _give_back(attempt, match)
            interaction = _interaction_for(now.interaction, None)
            interaction.case_id = case.id
            interaction.legacy_verified_at = clock.now()
            interaction.legacy_password_hash = legacy_hash
            return SignedIn(interaction.id)
    return _wrong()


def _told(attempt: _Attempt, match: Match, reason: Refusal) -> SignInRefused:
    """The password was right, so the try is given back and the reason told."""
    with transaction():
        _give_back(attempt, match)
    return SignInRefused(reason)


def _give_back(attempt: _Attempt, match: Match) -> None:
    tries.give_back(attempt.tries, tries.at_row(match.source, match.key, attempt.network))


def _wrong() -> SignInRefused:
    return SignInRefused(Refusal.WRONG, source_unavailable=not legacy.all_available())
