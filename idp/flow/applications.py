"""Applications that can learn something of a person: which, since when, what; and taking that back."""

from dataclasses import dataclass
from datetime import datetime

from idp.audit import events
from idp.clients import registry
from idp.clients.registry import RegisteredClient
from idp.extensions import transaction
from idp.flow.visit import Visit, VisitOverError
from idp.grants import codes, consents, tokens
from idp.sessions import browser


@dataclass(frozen=True)
class Application:
    """`used_at` is None where only tokens are known."""

    client: RegisteredClient
    scopes: frozenset[str]
    since: datetime
    used_at: datetime | None


def listing(visit: Visit) -> list[Application]:
    """Those that the person agreed to, and those whose tokens work; by name."""
    account = visit.account
    found: dict[int, Application] = {}
    for agreed in consents.of_account(account.id):
        if client := registry.by_row_id(agreed.client_id):
            found[client.id] = Application(client, agreed.scopes, agreed.given_at, agreed.used_at)
    for held in tokens.living(account.id, account.epoch):
        if client := registry.by_row_id(held.client_id):
            scopes = frozenset(held.scope.split())
            new = Application(client, scopes, held.since, None)
            found[client.id] = _both(found.get(client.id, new), new)
    shown = [
        Application(one.client.in_language(visit.locale), one.scopes, one.since, one.used_at)
        for one in found.values()
    ]
    return sorted(shown, key=lambda one: (one.client.client_name.casefold(), one.client.id))


def withdraw(visit: Visit, client_id: str) -> bool:
    """End what the application of this public name has: consent, codes and tokens; it is told that its
    sessions are over. False when there is no such application, or it has nothing. Raises VisitOverError.

    The account is not held: whoever is being given a code holds the consent, and waits for the account.
    """
    client = registry.find(client_id)
    if client is None:
        return False
    with transaction():
        if not browser.touch(visit.session):
            raise VisitOverError
        agreed = consents.withdraw(visit.session.account_id, client.id)
        held = codes.revoke_all(visit.session.account_id, client.id)
        browser.forget_client(visit.session.account_id, client.id)
        if agreed or held:
            events.access_withdrawn(sub=visit.session.sub, client_id=client.client_id)
    return agreed or held


def _both(one: Application, other: Application) -> Application:
    scopes, since = one.scopes | other.scopes, min(one.since, other.since)
    return Application(one.client, scopes, since, one.used_at)
