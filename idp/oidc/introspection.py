"""The introspection endpoint (RFC 7662): what a token is worth at this moment."""

from functools import partial
from typing import Any

from authlib.oauth2.rfc6749 import InvalidRequestError
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from flask import Blueprint
from werkzeug.wrappers import Response

from idp.clients import registry
from idp.clients.registry import RegisteredClient
from idp.clients.rules import PROVING_METHODS
from idp.extensions import settings
from idp.grants import client_tokens, tokens
from idp.grants.models import ClientToken, Token, TokenKind
from idp.oidc import access_tokens
from idp.oidc.endpoint import answered
from idp.oidc.server import ProtocolClient, TokenRequest, server

blueprint = Blueprint("introspection", __name__)


class Introspection(IntrospectionEndpoint):  # type: ignore[misc]
    """Authlib's endpoint, on our tokens. Public clients are not answered: anybody could be one."""

    CLIENT_AUTH_METHODS = PROVING_METHODS

    def check_params(self, request: TokenRequest, client: ProtocolClient) -> None:  # noqa: ARG002
        """A hint that we do not know is left aside (RFC 7662 2.1)."""
        if not request.form.get("token"):
            raise InvalidRequestError("Name the token.")

    def query_token(self, value: str, hint: str | None) -> Token | ClientToken | None:  # noqa: ARG002
        """A living token of either kind; a refresh token that was used lives no more."""
        kinds = (TokenKind.ACCESS, TokenKind.REFRESH)
        row = next((found for kind in kinds if (found := tokens.find(value, kind))), None)
        if row is None:
            return client_tokens.find(value)
        return row if row.used_at is None else None

    def check_permission(
        self,
        token: Token | ClientToken,
        client: ProtocolClient,
        request: TokenRequest,  # noqa: ARG002 - Authlib's hook
    ) -> bool:
        """Its own tokens, and those for it: of others a client learns no more than of what is no token."""
        asking = client.registered
        return asking.id == token.client_id or asking.resource_uri == token.resource

    def create_introspection_payload(self, token: Token | ClientToken | None) -> dict[str, Any]:
        """RFC 7662 2.2."""
        client = registry.by_row_id(token.client_id) if token else None
        if token is None or client is None:
            return {"active": False}
        return {
            "active": True,
            "iss": settings.issuer,
            **_about(token, client),
            "client_id": client.client_id,
            "scope": token.scope,
            "iat": int(token.issued_at.timestamp()),
            "exp": int(token.expires_at.timestamp()),
            **({"aud": token.resource} if token.resource else {}),
            **access_tokens.binding(token.jkt),
        }


def _about(token: Token | ClientToken, client: RegisteredClient) -> dict[str, Any]:
    """Whose it is, as the token itself would say, and its type, which refresh tokens have not."""
    kind = {"token_type": access_tokens.type_(token.jkt)}
    if isinstance(token, ClientToken):
        return {**kind, "sub": client.client_id}
    audience = registry.resource_server(token.resource) if token.resource else None
    told = access_tokens.about(token, client, audience)
    return {**kind, **told} if token.kind is TokenKind.ACCESS else told


@blueprint.post("/introspect")
def introspect() -> Response:
    """One client, one token."""
    return answered(partial(server.create_endpoint_response, Introspection.ENDPOINT_NAME))


server.register_endpoint(Introspection)
