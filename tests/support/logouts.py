"""Sessions that end, and clients that are told."""

from typing import Any

from joserfc import jwt
from sqlalchemy import func, select

from idp.accounts import changes
from idp.accounts.account import Account
from idp.extensions import db
from idp.oidc import backchannel
from idp.sessions.logout_notices import LogoutNotice
from tests.support.accounts import ADDRESS
from tests.support.journey import Person
from tests.support.signing import published
from tests.support.tokens import claims_of, redeem


def sign_in(person: Person) -> dict[str, Any]:
    """The claims of a fresh ID token."""
    person.authorize(prompt="login").two_factors(ADDRESS)
    return claims_of(redeem(person))


def tell() -> int:
    """As the worker does; how many were told or tried."""
    count = 0
    while backchannel.tell_next() is not None:
        count += 1
    return count


def waiting() -> int:
    """How many are still to be told."""
    return db.session.scalar(select(func.count()).select_from(LogoutNotice)) or 0


def read(form: dict[str, str]) -> jwt.Token:
    """The logout token that was sent."""
    return jwt.decode(form["logout_token"], published(), algorithms=["RS256"])


def sign_out(person: Person, token: str) -> None:
    """From the application, which names the session by its ID token."""
    person.get(f"/logout?id_token_hint={token}")


def end_everything(row: Account) -> None:
    """Every session of an account."""
    assert changes.end_everything(row.id, row.epoch)
