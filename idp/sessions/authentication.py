"""The one rule: an authentication exists only when password and code were both verified together.

`authenticate` is the only place in the tree that inserts one. Every code, token and browser session
has a NOT NULL foreign key to an authentication.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select

from idp import clock
from idp.accounts import account as accounts
from idp.challenges.challenge import Channel, Purpose
from idp.challenges.results import CodeVerified
from idp.extensions import affected, db, unreferred
from idp.sessions.models import Authentication

ACR = {Channel.EMAIL: "urn:seuil:acr:email", Channel.SMS: "urn:seuil:acr:sms"}
"""The level of an authentication, named honestly by the channel of its code (OIDC Core 2, `acr`)."""


@dataclass(frozen=True)
class PasswordVerified:
    """First factor: the account's password was right, in this interaction, under this epoch."""

    account_id: int
    epoch: int
    interaction_id: str
    at: datetime


class BrokenRuleError(Exception):
    """Two proofs that do not belong together; a bug or an attack, never shown as anything but a 500."""


def authenticate(password: PasswordVerified, code: CodeVerified) -> Authentication | None:
    """Insert the row that says both factors passed. None when the account changed meanwhile.

    Raises BrokenRuleError when the proofs are of two people, two interactions or another purpose.
    """
    if code.purpose is not Purpose.SECOND_FACTOR:
        raise BrokenRuleError("the code was not sent as a second factor")
    if (password.account_id, password.interaction_id) != (code.account_id, code.interaction_id):
        raise BrokenRuleError("the factors are of two accounts or two interactions")
    account = accounts.by_id(password.account_id)
    if account is None or not account.active:
        return None
    if not account.epoch == password.epoch == code.epoch:
        return None
    authentication = Authentication(
        account_id=account.id,
        epoch=account.epoch,
        password_verified_at=password.at,
        challenge_id=code.challenge_id,
        channel=code.channel,
        interaction_id=code.interaction_id,
        authenticated_at=code.at,
    )
    db.session.add(authentication)
    db.session.flush()
    return authentication


def amr(authentication: Authentication) -> list[str]:
    """What happened (RFC 8176): a password and a one-time code, by SMS or by e-mail."""
    sms = ["sms"] if authentication.channel is Channel.SMS else []
    return ["pwd", "otp", *sms, "mfa"]


def acr(authentication: Authentication) -> str:
    """The `acr` value of this authentication."""
    return ACR[authentication.channel]


def purge(limit: int) -> int:
    """Delete up to `limit` authentications that nothing descends from any more; how many went.

    The rooms above are known by their foreign keys only.
    """
    old = select(Authentication.id).where(
        Authentication.authenticated_at < clock.now() - timedelta(days=1),
        *unreferred(Authentication.id),
    )
    return affected(delete(Authentication).where(Authentication.id.in_(old.limit(limit))))
