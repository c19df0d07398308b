"""What a person agrees to before a relying party gets anything: our terms, and what others ask to learn.

The same function decides what to ask and what `prompt=none` answers (OIDC Core 3.1.2.1).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from idp.clients.registry import RegisteredClient
from idp.extensions import settings
from idp.flow.steps import Step
from idp.grants import consents

_OFFLINE = frozenset({"offline_access"})


@dataclass(frozen=True)
class Wish:
    """What a request would learn, by scope; `again`: the person is asked even if they had agreed."""

    client: RegisteredClient
    scopes: frozenset[str]
    again: bool

    @classmethod
    def of(cls, client: RegisteredClient, request: Mapping[str, Any]) -> Self:
        """Of an authorization request as stored; scopes of single claims count as well (OIDC Core 5.5).

        Any program of a computer can say that it is the one which people agreed to (RFC 8252 8.6).
        """
        scopes = frozenset([*request["scope"].split(), *request.get("learns", ())])
        anybody = client.public and (client.application_type == "native" or client.on_loopback)
        return cls(client, scopes, anybody or "consent" in request["prompt"])


@dataclass(frozen=True)
class Standing:
    """How a person stands to a wish: the page that is due first, if one is; the scopes that the relying party
    gets then; those that it had before."""

    due: Step | None
    scopes: frozenset[str]
    known: frozenset[str]


def standing(wish: Wish, account_id: int, terms_version: str | None, *, answered: bool) -> Standing:
    """Of this account, which accepted that version of the terms; `answered`: it consented to this very request.

    One statement, none for a client of the house.
    """
    first, client = wish.client.first_party, wish.client
    known = wish.scopes if first else consents.agreed(account_id, client.id)
    scopes = wish.scopes if wish.again else wish.scopes - (_OFFLINE - known)
    asks = not first and (not scopes <= known or (wish.again and not answered))
    due = Step.CONSENT if asks else None
    if settings.terms_version and terms_version != settings.terms_version:
        due = Step.TERMS
    return Standing(due, scopes, known)
