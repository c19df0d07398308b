"""What support corrects in single migrations: a case goes on, a migration is undone, two things become one.

Each function runs in the caller's transaction; who did it and why is kept with the event.
"""

from dataclasses import dataclass

from idp import clock
from idp.accounts import account as accounts
from idp.accounts import changes
from idp.accounts.account import Account
from idp.accounts.addresses import mask_email
from idp.audit import cases as told
from idp.delivery import outbox
from idp.delivery.messages import Message
from idp.extensions import settings
from idp.flow import alerts, interaction, telling
from idp.flow.alerts import AlertKind
from idp.legacy import identity as identities
from idp.legacy.identity import LegacyIdentity
from idp.migration import callbacks, cases, completion, invitations
from idp.migration.invitations import By
from idp.migration.models import MigrationCase


@dataclass(frozen=True)
class Reverted:
    """The identity is nobody's again. `closed`: its account held no other, and is no more."""

    sub: str
    closed: bool


def reopen(case: MigrationCase, by: By) -> bool:
    """Let a disputed or expired case begin anew; False when it is done, or open as it is.

    Nothing of it stays: neither what was chosen, nor what any browser had shown.
    """
    if case.completed_at is not None or case.open:
        return False
    _begin_anew(case)
    invitations.withdraw(case.identity_id)
    told.reopened(reference=case.reference, why=by.why, actor=by.actor)
    return True


def revert(identity: LegacyIdentity, by: By) -> Reverted | None:
    """Give an old identity back, so that it can migrate again; None when no account holds it.

    An account that holds no other is closed: its address is free, its `sub` is never used again.
    """
    if identity.account_id is None:
        return None
    case = cases.of_identity(identity.id)
    if case is not None:
        _begin_anew(case)
    account = accounts.held(identity.account_id)
    identities.release(identity.id)
    invitations.withdraw(identity.id)
    closed = not identities.held_by(account.id)
    _tell_reverted(account, closed=closed)
    if closed:
        _close(account)
    else:
        changes.end_everything(account.id, account.epoch)
    about = case.reference if case else f"{identity.source}:{identity.key}"
    told.reverted(sub=account.sub, reference=about, closed=closed, why=by.why, actor=by.actor)
    return Reverted(account.sub, closed)


def join(case: MigrationCase, into: int, by: By) -> bool:
    """Give the identity of a case that is not done to an account (its row id); False when it cannot be."""
    account = accounts.by_id(into)
    if account is None or not account.active or case.completed_at is not None:
        return False
    interaction.leave_case(case.id)
    old = telling.old_contact(case)
    cases.settle(case)
    if not completion.join(case, account):
        return False
    accounts.held(into)
    changes.end_everything(account.id, account.epoch)
    telling.joined(account, case, old)
    told.merged(sub=account.sub, reference=case.reference, why=by.why, actor=by.actor)
    return True


def merge(other: int, into: int, by: By) -> bool:
    """Give all that one account holds to another (their row ids), and close it; False when it cannot be.

    Whoever is blocked, or was closed before, hears nothing of it: it may be a stranger's.
    """
    one, two = (accounts.held(row) for row in sorted((other, into)))
    gone, account = (one, two) if one.id == other else (two, one)
    if gone.id == account.id or not account.active or gone.closed:
        return False
    callbacks.leave_again(identities.hand_over(gone.id, account.id))
    emails = (account.email, gone.email) if gone.active else (account.email,)
    other_sub = gone.sub
    _close(gone)
    changes.end_everything(account.id, account.epoch)
    alerts.tell(account, AlertKind.JOINED, emails=emails)
    told.merged(sub=account.sub, other=other_sub, why=by.why, actor=by.actor)
    return True


def _begin_anew(case: MigrationCase) -> None:
    """Interactions are taken first, as by whoever sits at one: nobody waits for somebody who waits for them."""
    interaction.leave_case(case.id)
    cases.begin_anew(case)
    alerts.use_up_case(case.id)
    telling.anew(case)


def _close(account: Account) -> None:
    alerts.use_up(account)
    changes.close(account.id, account.epoch, account.sub)


def _tell_reverted(account: Account, *, closed: bool) -> None:
    """Whoever is blocked hears nothing: it may be a stranger, who knows the old password."""
    if not account.active:
        return
    words: dict[str, str | int] = {
        "service": settings.mail_from_name,
        "closed": closed,
    }
    mail = Message("email", account.email, "migration-reverted", account.locale, words)
    until = clock.now() + settings.alert_lifetime
    outbox.enqueue(mail, expires_at=until, masked=mask_email(account.email))
