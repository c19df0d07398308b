"""Changing an account. Each function is one conditional UPDATE in the caller's transaction.

Whatever changes password, address or status raises the epoch, and so ends all that was given out
before (DESIGN 2). `epoch` is what the caller saw: False when the account changed since.
"""

from datetime import datetime

from blinker import Signal
from sqlalchemy import update

from idp import clock
from idp.accounts.account import Account, AccountStatus
from idp.accounts.addresses import EmailAddress
from idp.accounts.profile import Profile
from idp.extensions import affected

epoch_rises = Signal()
"""Sent with `account_id`, in the transaction, before the account is written: for what must be locked first."""

epoch_raised = Signal()
"""Sent with `account_id`, in the transaction: what was given out under the epoch before is over."""

closed = Signal()
"""Sent with `account_id`, in the transaction: nothing about the person is kept."""


def set_password(account_id: int, epoch: int, password_hash: str) -> bool:
    """A new password (as `password.hash_password` made it)."""
    return _change(
        account_id, epoch, password_hash=password_hash, password_changed_at=clock.now(), rise=True
    )


def set_email(account_id: int, epoch: int, address: EmailAddress) -> bool:
    """A new identifier, proven before. Raises IntegrityError when it was taken meanwhile."""
    return _change(account_id, epoch, email=address.address, email_key=address.key, rise=True)


def set_phone(account_id: int, epoch: int, number: str | None) -> bool:
    """Another number (E.164, proven before), or none."""
    return _change(account_id, epoch, phone=number)


def freeze(account_id: int, epoch: int) -> bool:
    """Let nobody in until an administrator says otherwise."""
    return _change(account_id, epoch, status=AccountStatus.FROZEN, rise=True)


def unfreeze(account_id: int, epoch: int) -> bool:
    """Let the person in again."""
    return _change(account_id, epoch, status=AccountStatus.ACTIVE, rise=True)


def close(account_id: int, epoch: int, sub: str) -> bool:
    """End the account for good: everything about the person is erased, the address is free.

    What stands for the address is nothing that anybody can type: identifiers are folded to small letters.
    """
    nobody = Profile().as_columns()
    gone = {"email": "", "email_key": f"CLOSED:{sub}", "password_hash": "", "phone": None}
    gone |= {"terms_version": None, "terms_accepted_at": None}
    done = _change(account_id, epoch, status=AccountStatus.CLOSED, rise=True, **gone, **nobody)
    if done:
        closed.send(account_id=account_id)
    return done


def accept_terms(account_id: int, epoch: int, version: str) -> bool:
    """The person accepts this version of the terms. What relying parties know of them is as old as before."""
    return bool(
        affected(
            update(Account)
            .where(Account.id == account_id, Account.epoch == epoch)
            .values(
                terms_version=version,
                terms_accepted_at=clock.now(),
                updated_at=Account.updated_at,
            )
        )
    )


def end_everything(account_id: int, epoch: int) -> bool:
    """End sessions, codes and tokens; the account itself stays as it is."""
    return _change(account_id, epoch, rise=True)


def hold_contacts(account_id: int, epoch: int, until: datetime) -> bool:
    """Refuse other contacts until then: whoever took the account over cannot lock its owner out."""
    return _change(account_id, epoch, contacts_held_until=until)


def _change(account_id: int, epoch: int, *, rise: bool = False, **values: object) -> bool:
    """Rows are written whole: nobody else's change is between what was seen and what is written."""
    risen = {"epoch": epoch + 1} if rise else {}
    if rise:
        epoch_rises.send(account_id=account_id)
    living = (Account.epoch == epoch, Account.status != AccountStatus.CLOSED)
    statement = update(Account).where(Account.id == account_id, *living)
    changed = bool(affected(statement.values(**values, **risen, updated_at=clock.now())))
    if changed and rise:
        epoch_raised.send(account_id=account_id)
    return changed
