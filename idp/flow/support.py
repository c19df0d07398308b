"""What an administrator does to somebody's account. Each function runs in the caller's transaction.

`actor` is the administrator's login, `why` the reason they gave; both are kept with the event. False
when there was nothing to do.
"""

from idp.accounts import account as accounts
from idp.accounts import changes
from idp.audit import events
from idp.flow import alerts
from idp.flow.alerts import AlertKind
from idp.migration import cases, invitations
from idp.migration.invitations import By, Issued


def freeze(account_id: int, *, actor: str, why: str) -> bool:
    """Let nobody in, end everything, tell the owner."""
    account = accounts.held(account_id)
    if not account.active or not changes.freeze(account.id, account.epoch):
        return False
    events.frozen(sub=account.sub, why=why, actor=actor)
    alerts.tell(account, AlertKind.FROZEN, by_sms=True)
    return True


def unfreeze(account_id: int, *, actor: str, why: str) -> bool:
    """Let the person in again, with the password they have; tell them."""
    account = accounts.held(account_id)
    if account.active or not changes.unfreeze(account.id, account.epoch):
        return False
    cases.settle_all(account.id)
    alerts.use_up(account)
    events.unfrozen(sub=account.sub, why=why, actor=actor)
    alerts.tell(account, AlertKind.UNFROZEN, by_sms=True)
    return True


def invite_back(account_id: int, *, actor: str, why: str, without_phone: bool) -> Issued | None:
    """A code for whoever lost the mailbox; all contacts so far are told. None: the account is frozen."""
    account = accounts.held(account_id)
    if not account.active:
        return None
    issued = invitations.invite_back(account, By(actor, why), without_phone=without_phone)
    alerts.tell(account, AlertKind.INVITED_BACK, by_sms=True)
    return issued


def end_sessions(account_id: int, *, actor: str, why: str) -> bool:
    """End every session, code and token; the person signs in again."""
    account = accounts.held(account_id)
    ended = changes.end_everything(account.id, account.epoch)
    if ended:
        events.sessions_ended(sub=account.sub, why=why, actor=actor)
    return ended
