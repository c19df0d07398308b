"""Access tokens: opaque for our userinfo, JWTs (RFC 9068) for the resource servers that want them.

All are in the database, so that revocation and the account's epoch bind wherever we are asked.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from idp import clock
from idp.clients import subjects
from idp.clients.registry import RegisteredClient
from idp.extensions import settings
from idp.grants import client_tokens, tokens
from idp.grants.models import AuthorizationCode, Token, TokenKind
from idp.grants.tokens import Terms
from idp.oidc import jwts
from idp.security.tokens import new_token
from idp.sessions import authentication


@dataclass(frozen=True)
class Order:
    """What a token request comes to: for whom, with which scope at which server, bound to which key.

    Without a server it is for our userinfo.
    """

    client: RegisteredClient
    server: RegisteredClient | None
    scope: str
    jkt: str | None

    @property
    def life(self) -> timedelta:
        """How long an access token lives."""
        own = self.server and self.server.resource_token_lifetime
        return timedelta(seconds=own) if own else settings.access_token_lifetime


def for_person(order: Order, held: AuthorizationCode | Token) -> dict[str, Any]:
    """A token for what the client holds of a person, as the token endpoint answers (RFC 6749 5.1)."""
    terms = _terms(order, lambda: about(held, order.client, order.server))
    code = held.code if isinstance(held, Token) else held
    return _answer(order, tokens.issue(TokenKind.ACCESS, code, order.scope, terms))


def for_client(order: Order) -> dict[str, Any]:
    """A token of a client for itself; `sub` is the client (RFC 9068 2.2)."""
    terms = _terms(order, lambda: {"sub": order.client.client_id})
    return _answer(order, client_tokens.issue(order.client.id, order.scope, terms))


def about(
    held: AuthorizationCode | Token, client: RegisteredClient, server: RegisteredClient | None
) -> dict[str, Any]:
    """Whose a token is, and how and when they signed in (RFC 9068 2.2.1, RFC 9470 6).

    The client can read it too: the person is called as by the one of both that is pairwise, so that neither
    learns what others call them (RFC 9068 6).
    """
    pairwise = server is not None and server.subject_type == "pairwise"
    return {
        "sub": subjects.subject(held.account.sub, server if server and pairwise else client),
        "auth_time": int(held.authentication.authenticated_at.timestamp()),
        "acr": authentication.acr(held.authentication),
        "amr": authentication.amr(held.authentication),
    }


def binding(jkt: str | None) -> dict[str, Any]:
    """The key that a token is bound to (RFC 9449 6)."""
    return {"cnf": {"jkt": jkt}} if jkt else {}


def type_(jkt: str | None) -> str:
    """How a token is sent (RFC 6750 2, RFC 9449 7)."""
    return "DPoP" if jkt else "Bearer"


def _terms(order: Order, whose: Callable[[], dict[str, Any]]) -> Terms:
    server = order.server
    if server is None:
        return Terms(jkt=order.jkt)
    as_jwt = server.resource_token_format == "jwt"
    value = _jwt(order, server, whose()) if as_jwt else None
    return Terms(server.resource_uri, order.jkt, order.life, value)


def _jwt(order: Order, server: RegisteredClient, whose: dict[str, Any]) -> str:
    """Signed as the resource server's ID tokens would be."""
    now = int(clock.now().timestamp())
    claims = {
        "iss": settings.issuer,
        "aud": server.resource_uri,
        "client_id": order.client.client_id,
        "iat": now,
        "exp": now + int(order.life.total_seconds()),
        "jti": new_token(),
        "scope": order.scope,
        **binding(order.jkt),
        **whose,
    }
    return jwts.sign(claims, server.id_token_signed_response_alg, "at+jwt")


def _answer(order: Order, value: str) -> dict[str, Any]:
    return {
        "token_type": type_(order.jkt),
        "access_token": value,
        "expires_in": int(order.life.total_seconds()),
        "scope": order.scope,
    }
