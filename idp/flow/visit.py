"""A person at the pages of their own account: a living session, both factors of which are recent."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from idp import clock
from idp.accounts import account as accounts
from idp.accounts.account import Account
from idp.clients import registry
from idp.extensions import db, settings, transaction
from idp.flow import interaction as interactions
from idp.flow.codes import Place
from idp.flow.interaction import Notice
from idp.security.readable import reference_of
from idp.sessions import browser as sessions
from idp.sessions.browser import LiveSession
from idp.sessions.models import Authentication


@dataclass(frozen=True)
class Visit:
    """One look at a signed-in person. `browser` is the cookie's digest."""

    session: LiveSession
    account: Account
    browser: str
    locale: str

    @property
    def place(self) -> Place:
        """Where codes for new contacts wait: in this session. No interaction has such a name."""
        place = f"account:{self.session.id}"
        return Place(
            id=place,
            browser=self.browser,
            sub=self.session.sub,
            client_id=registry.own().client_id,
            reference=reference_of(place),
        )


class VisitOverError(Exception):
    """The session ended, or the account changed, since the page was asked for."""


def find(session_token: str | None, browser: str, locale: str) -> Visit | None:
    """Who is there. None without a session, or when its sign-in is not fresh: both factors count."""
    session = sessions.find(session_token)
    if session is None or _signed_in(session) <= clock.now() - settings.account_fresh:
        return None
    account = accounts.by_id(session.account_id)
    return Visit(session, account, browser, locale) if account else None


@contextmanager
def visiting(visit: Visit) -> Iterator[Account]:
    """A transaction in which the session lives and nobody else changes the account; yields it.

    Raises VisitOverError.
    """
    with transaction():
        account = accounts.held(visit.session.account_id)
        alive = account.active and account.epoch == visit.session.epoch
        if not alive or not sessions.touch(visit.session):
            raise VisitOverError
        yield account


def sign_in_first(browser: str, locale: str, network: str) -> str:
    """Begin a sign-in of a newcomer that leads to the account; the interaction's id.

    Raises PageError when too many were begun from their network.
    """
    with transaction():
        interactions.admit(network)
        return interactions.open_interaction(None, browser, {}, locale=locale).id


def sign_in_again(browser: str, locale: str, *, identifier: str, notice: Notice) -> str:
    """Begin a sign-in after a change that ended all sessions; the interaction's id."""
    with transaction():
        interaction = interactions.open_interaction(None, browser, {}, locale=locale)
        interaction.identifier = identifier
        interaction.notice = notice
        return interaction.id


def _signed_in(session: LiveSession) -> datetime:
    authentication = db.session.get_one(Authentication, session.authentication_id)
    return min(authentication.password_verified_at, authentication.authenticated_at)
