"""Changing the password of one's own account, and ending all that is open."""

from dataclasses import dataclass
from datetime import timedelta

from idp.accounts import changes
from idp.accounts import password as passwords
from idp.audit import events
from idp.challenges import budgets, verify
from idp.clients import registry
from idp.extensions import release, transaction
from idp.flow import alerts, tries
from idp.flow.alerts import AlertKind
from idp.flow.enrolment import PasswordRefused
from idp.flow.visit import Visit, VisitOverError, visiting
from idp.security import throttle


@dataclass(frozen=True)
class PasswordChanged:
    """Every session has ended; the person signs in with the new one, under a new epoch."""

    email: str
    epoch: int


@dataclass(frozen=True)
class PresentRefused:
    """The present password was wrong, or (`wait`) there were too many tries."""

    wait: timedelta | None = None


def change_password(
    visit: Visit, present: str, password: str, confirmation: str, network: str
) -> PasswordChanged | PasswordRefused | PresentRefused:
    """Check the present password, counted as at a sign-in of this browser, which knows the account; then the
    new one; then one short transaction."""
    refused = _check_present(visit, present, network)
    if refused:
        return refused
    account = visit.account
    personal = passwords.personal_words(account.profile, account.email)
    present_hash = account.password_hash
    release()
    problems = passwords.new_password_problems(
        password, confirmation, personal=personal, present_hash=present_hash
    )
    if problems:
        return PasswordRefused(problems)
    return _write(visit, passwords.hash_password(password))


def end_sessions(visit: Visit) -> None:
    """Sign out everywhere, here too."""
    with visiting(visit) as account:
        if not changes.end_everything(account.id, account.epoch):
            raise VisitOverError
        events.sessions_ended(sub=account.sub, why="asked by the person")


def _check_present(visit: Visit, present: str, network: str) -> PresentRefused | None:
    counted = tries.at_known_account(visit.session.sub, network)
    with visiting(visit) as account:
        password_hash = account.password_hash
        wait = counted.reserve()
    if wait:
        return PresentRefused(wait)
    release()
    right = passwords.check_password(password_hash, present).right
    with transaction():
        if right:
            tries.give_back(counted)
            return None
        events.sign_in_failed(
            reason="present-password",
            client_id=registry.own().client_id,
            reference=visit.place.reference,
        )
    return PresentRefused()


def _write(visit: Visit, password_hash: str) -> PasswordChanged:
    with visiting(visit) as account:
        epoch = account.epoch
        if not changes.set_password(account.id, epoch, password_hash):
            raise VisitOverError
        throttle.clear(*verify.at_sign_in(account.id))
        budgets.renew(account.email)
        events.password_changed(sub=account.sub)
        alerts.tell(account, AlertKind.PASSWORD_CHANGED)
        return PasswordChanged(account.email, epoch + 1)
