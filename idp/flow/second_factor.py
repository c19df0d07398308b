"""The second factor: the code that makes an authentication out of a first factor."""

from dataclasses import dataclass

from idp import clock
from idp.accounts.account import Account
from idp.audit import cases as told
from idp.audit import events
from idp.challenges import verify as verifying
from idp.challenges.challenge import Channel, Purpose
from idp.challenges.results import CodeProblem, CodeRefused, CodeVerified, SendRefused, Sent
from idp.extensions import settings
from idp.flow import alerts, codes, telling
from idp.flow.alerts import AlertKind
from idp.flow.interaction import (
    Interaction,
    Notice,
    forget_holder,
    forget_proofs,
    forget_recovery,
    forget_sign_in,
)
from idp.flow.position import Position, acting
from idp.migration import completion, conflicts
from idp.security import throttle
from idp.sessions import authentication as authentications
from idp.sessions import browser
from idp.sessions.authentication import PasswordVerified


@dataclass(frozen=True)
class Authenticated:
    """Both factors passed. `session_token` is the value of the browser session's cookie; `sub` and `epoch`
    are what the browser may know the account by."""

    session_token: str
    sub: str
    epoch: int


def possible(account_id: int) -> bool:
    """False after so many wrong codes in a row that only a new password helps."""
    return throttle.spent(verifying.in_a_row(account_id)) < settings.code_tries_in_a_row


def begin(now: Position, interaction: Interaction, account: Account, epoch: int) -> None:
    """The password was right under this epoch: note the first factor, and send a code. Runs in the caller's
    transaction."""
    interaction.account_id = account.id
    interaction.password_epoch = epoch
    interaction.password_verified_at = clock.now()
    channel = codes.preferred_channel(interaction, account)
    codes.send_second_factor(now, interaction, account, channel)


def verify(
    position: Position, code: str, previous: str | None = None, *, new_browser: bool
) -> Authenticated | CodeRefused:
    """Check the code; when right, write the authentication and begin a browser session.

    `previous` is the cookie of the session that this browser had before; it ends. `new_browser`: nobody
    has signed in to this account from it before.
    """

    def record(now: Position, proof: CodeVerified) -> Authenticated | CodeRefused:
        interaction, account = now.interaction, now.account
        assert account is not None, "the second factor follows a first"
        if interaction.joining_at is not None and not _may_join(now, account):
            forget_sign_in(interaction)
            forget_holder(interaction)
            interaction.notice = Notice.EMAIL_TAKEN
            return CodeRefused(CodeProblem.EXPIRED)
        authentication = authentications.authenticate(_first_factor(interaction), proof)
        if authentication is None:
            forget_sign_in(interaction)
            return CodeRefused(CodeProblem.EXPIRED)
        _end(previous)
        interaction.authentication_id = authentication.id
        interaction.notice = None
        if interaction.joining_at is not None:
            _join(now, account)
        _tell(now, account, proof.channel, new_browser=new_browser)
        return Authenticated(browser.begin(authentication), account.sub, account.epoch)

    return codes.check(position, Purpose.SECOND_FACTOR, code, record)


def _tell(now: Position, account: Account, channel: Channel, *, new_browser: bool) -> None:
    """The audit, and the owner; but whoever has just migrated here knows that this browser is new."""
    events.signed_in(
        sub=account.sub,
        client_id=now.client.client_id,
        channel=channel,
        new_browser=new_browser,
    )
    if new_browser and now.interaction.migrated_account_id is None:
        alerts.tell(account, AlertKind.NEW_BROWSER)


def _may_join(now: Position, account: Account) -> bool:
    """Whether it is still as it was when «C’est aussi mon compte» was pressed."""
    same = now.case is not None and now.interaction.holder_id == account.id
    return same and now.case is not None and conflicts.may_join(now.case, account)


def _join(now: Position, account: Account) -> None:
    """Whoever said «C’est aussi mon compte» has shown both its factors: the old identity is the account's."""
    case = now.case
    assert case is not None, "looked at before"
    old = telling.old_contact(case)
    if completion.join(case, account):
        source, client_id = case.identity.source, now.client.client_id
        told.joined(sub=account.sub, source=source, reference=case.reference, client_id=client_id)
        telling.joined(account, case, old)
    forget_proofs(now.interaction)


def use_channel(position: Position, channel: Channel) -> Sent | SendRefused:
    """Send a fresh code the other way."""
    with acting(position) as now:
        assert now.account is not None, "the second factor follows a first"
        return codes.send_second_factor(now, now.interaction, now.account, channel)


def start_over(position: Position) -> None:
    """Forget who signed in, migrates or recovers in this interaction, so that somebody else can sign in."""
    with acting(position) as now:
        forget_sign_in(now.interaction)
        forget_proofs(now.interaction)
        forget_recovery(now.interaction)
        now.interaction.identifier = ""


def _end(token: str | None) -> None:
    """The session that this browser had before is over, whoever's it was, also one that lay idle."""
    session = browser.find(token)
    browser.end(token)
    if session:
        events.session_ended(sub=session.sub, why="other-sign-in")


def _first_factor(interaction: Interaction) -> PasswordVerified:
    """The proof that `sign_in` recorded on this interaction."""
    if (
        interaction.account_id is None
        or interaction.password_epoch is None
        or interaction.password_verified_at is None
    ):
        raise authentications.BrokenRuleError("a code without a first factor")
    return PasswordVerified(
        account_id=interaction.account_id,
        epoch=interaction.password_epoch,
        interaction_id=interaction.id,
        at=interaction.password_verified_at,
    )
