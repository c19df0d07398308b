"""Codes, proofs and sessions made by hand, for rooms that are tested without the pages above them."""

from datetime import datetime
from typing import Any

from sqlalchemy import update

from idp import clock
from idp.accounts.account import Account
from idp.challenges import issue
from idp.challenges.challenge import Challenge, Channel, Purpose
from idp.challenges.issue import NewChallenge, Wording
from idp.challenges.results import CodeVerified, SendRefused, Sent
from idp.extensions import db, transaction
from idp.sessions import browser
from idp.sessions.authentication import PasswordVerified, authenticate
from idp.sessions.browser import LiveSession
from tests.support.accounts import ADDRESS

INTERACTION, BROWSER = "an interaction", "a browser"
EPOCH = 1
"""Of an account that was just made."""


def ask_code(
    account_id: int | None, *, network: str | None = None, **changes: Any
) -> Sent | SendRefused:
    """Ask for a code, a second factor by e-mail unless the changes say otherwise."""
    values = {
        "purpose": Purpose.SECOND_FACTOR,
        "channel": Channel.EMAIL,
        "destination": ADDRESS,
        "interaction_id": INTERACTION,
        "browser": BROWSER,
        "account_id": account_id,
        "epoch": EPOCH,
    }
    wording = Wording(locale="fr", service="e-services", template=Purpose.SECOND_FACTOR)
    with transaction():
        return issue.open_challenge(NewChallenge(**(values | changes)), wording, network=network)


def send_code(account_id: int | None, **changes: Any) -> Challenge:
    """The challenge of a code that was sent."""
    sent = ask_code(account_id, **changes)
    assert isinstance(sent, Sent)
    return db.session.get_one(Challenge, sent.challenge_id)


def password_proof(account_id: int, **changes: Any) -> PasswordVerified:
    """The first factor, in the interaction of these tests."""
    values = {"epoch": EPOCH, "interaction_id": INTERACTION, "at": clock.now()}
    return PasswordVerified(account_id, **(values | changes))


def code_proof(challenge: Challenge, at: datetime | None = None, **changes: Any) -> CodeVerified:
    """What a right code for this challenge proves."""
    names = ("purpose", "channel", "destination", "account_id", "epoch", "case_id", "identity_id")
    values = {name: getattr(challenge, name) for name in (*names, "interaction_id")}
    return CodeVerified(challenge.id, **(values | {"at": at or clock.now()} | changes))


def begin_session(account_id: int, interaction_id: str = INTERACTION) -> tuple[LiveSession, str]:
    """A browser session that begins with both factors, and the value of its cookie."""
    challenge = send_code(account_id, interaction_id=interaction_id)
    password = password_proof(account_id, interaction_id=interaction_id)
    with transaction():
        authentication = authenticate(password, code_proof(challenge))
        assert authentication is not None
        token = browser.begin(authentication)
    session = browser.find(token)
    assert session is not None
    return session, token


def change_account(account_id: int, **values: Any) -> None:
    """What an administrator or a new password does to an account."""
    with transaction():
        db.session.execute(update(Account).where(Account.id == account_id).values(**values))
