"""The client credentials grant (RFC 6749 4.4): a client asks for a token of its own, about no person."""

from typing import Any

from authlib.oauth2.rfc6749 import InvalidScopeError
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant

from idp.clients.registry import RegisteredClient
from idp.clients.rules import PROVING_METHODS
from idp.oidc import access_tokens, resources
from idp.oidc.grant_types import TokenGrant


class OwnGrant(TokenGrant, ClientCredentialsGrant):  # type: ignore[misc]
    """For resource servers only; without a scope for all that is registered there. No refresh token."""

    TOKEN_ENDPOINT_AUTH_METHODS = PROVING_METHODS

    def generate_token(self, *, scope: str | None, **_unused: Any) -> dict[str, Any]:
        """Insert the token."""
        client: RegisteredClient = self.request.client.registered
        order = self.order(client.resources, scope or client.scope, None)
        if order.server is None:
            raise resources.InvalidTargetError
        if scope and not set(scope.split()) <= client.scopes & order.server.resource_scopes:
            raise InvalidScopeError
        self.use_proof()
        return access_tokens.for_client(order)

    def save_token(self, token: dict[str, Any]) -> None:
        """Nothing to do: a token is inserted when its value is made."""
