"""«C’est aussi mon compte»: the proven address is an account's, and its owner gives it an old identity more.

Both factors of that account are asked for, counted as at any sign-in to it; the code is that of every
sign-in (see `second_factor`), which then claims the identity. No page says whose account it is.
"""

import enum
from dataclasses import dataclass
from datetime import timedelta

from idp import clock
from idp.accounts import account as accounts
from idp.accounts import password as passwords
from idp.accounts.account import Account
from idp.audit import events
from idp.extensions import transaction
from idp.flow import floor, second_factor, tries
from idp.flow.floor import Busy
from idp.flow.interaction import Notice, forget_holder
from idp.flow.position import Position, acting
from idp.flow.tries import Tries, Visitor
from idp.migration import conflicts


@dataclass(frozen=True)
class Accepted:
    """The password was right; the code follows."""


@dataclass(frozen=True)
class JoinRefused:
    """The password was wrong; or (`wait`) there were too many tries; or (`recovers`) too many wrong codes in a
    row, and only a new password helps."""

    wait: timedelta | None = None
    recovers: bool = False


class NoLonger(enum.Enum):
    """The account can be joined no longer; the page of the address says so."""

    NO_LONGER = "no-longer"


def offered(position: Position) -> bool:
    """Whether the page may say «C’est aussi mon compte»."""
    return _holder(position) is not None


def begin(position: Position) -> bool:
    """The button; False when it is offered no longer."""
    with acting(position) as now:
        if _holder(now) is None:
            return False
        now.interaction.notice = None
        now.interaction.joining_at = clock.now()
        return True


def give_up(position: Position) -> None:
    """Another address after all."""
    with acting(position) as now:
        forget_holder(now.interaction)


def sign_in(
    position: Position, password: str, visitor: Visitor
) -> Accepted | JoinRefused | NoLonger | Busy:
    """Check the account's password: the try is reserved and committed first."""
    with floor.slot() as free:
        return _sign_in(position, password, visitor) if free else Busy.BUSY


def _sign_in(
    position: Position, password: str, visitor: Visitor
) -> Accepted | JoinRefused | NoLonger:
    with acting(position) as now:
        account = _holder(now)
        if account is None:
            forget_holder(now.interaction)
            now.interaction.notice = Notice.EMAIL_TAKEN
            return NoLonger.NO_LONGER
        seen = account.id, account.epoch, account.password_hash
        counted = _tries(account, visitor)
        wait = counted.reserve()
        if wait and events.due(f"throttled:{now.interaction.id}"):
            _note_failure(now, "throttled")
    if wait:
        return JoinRefused(wait)
    account_id, epoch, password_hash = seen
    check = passwords.check_password(password_hash, password)
    if not check.right:
        with transaction():
            _note_failure(position, "wrong")
        return JoinRefused()
    with acting(position) as now:
        if check.rehash:
            accounts.replace_hash(account_id, old=password_hash, new=check.rehash)
        tries.give_back(counted)
        return _on_to_the_code(now, account_id, epoch)


def _on_to_the_code(now: Position, account_id: int, epoch: int) -> Accepted | JoinRefused:
    account = accounts.by_id(account_id)
    assert account is not None, "accounts are never deleted"
    if not second_factor.possible(account_id):
        _note_failure(now, "recovery")
        return JoinRefused(recovers=True)
    second_factor.begin(now, now.interaction, account, epoch)
    return Accepted()


def _holder(now: Position) -> Account | None:
    """The account that the case may join."""
    row = now.interaction.holder_id
    account = accounts.by_id(row) if row is not None else None
    may = account is not None and now.case is not None and conflicts.may_join(now.case, account)
    return account if may else None


def _tries(account: Account, visitor: Visitor) -> Tries:
    if visitor.knows(account.sub, account.epoch):
        return tries.at_known_account(account.sub, visitor.network)
    return tries.at_identifier(account.email_key, visitor.network)


def _note_failure(position: Position, reason: str) -> None:
    events.sign_in_failed(
        reason=reason,
        why="joining",
        client_id=position.client.client_id,
        reference=position.reference,
    )
