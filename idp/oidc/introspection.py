"""The introspection endpoint (RFC 7662): what a token is worth at this moment."""

from functools import partial
from typing import Any

from authlib.oauth2.rfc6749 import InvalidRequestError
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from flask import Blueprint
from werkzeug.wrappers import Response

from idp.clients import registry, subjects
from idp.clients.rules import AUTH_METHODS
from idp.extensions import settings
from idp.grants import tokens
from idp.grants.models import Token, TokenKind
from idp.oidc.endpoint import answered
from idp.oidc.server import ProtocolClient, TokenRequest, server

blueprint = Blueprint("introspection", __name__)


class Introspection(IntrospectionEndpoint):  # type: ignore[misc]
    """Authlib's endpoint, on our tokens. Public clients are not asked: anybody could be one."""

    CLIENT_AUTH_METHODS = tuple(method for method in AUTH_METHODS if method != "none")

    def check_params(self, request: TokenRequest, client: ProtocolClient) -> None:  # noqa: ARG002
        """A hint that we do not know is left aside (RFC 7662 2.1)."""
        if not request.form.get("token"):
            raise InvalidRequestError("Name the token.")

    def query_token(self, value: str, hint: str | None) -> Token | None:  # noqa: ARG002
        """A living token of either kind; a refresh token that was used lives no more."""
        kinds = (TokenKind.ACCESS, TokenKind.REFRESH)
        row = next((found for kind in kinds if (found := tokens.find(value, kind))), None)
        return row if row and row.used_at is None else None

    def check_permission(self, token: Token, client: ProtocolClient, request: TokenRequest) -> bool:  # noqa: ARG002
        """Its own tokens only: of others a client learns no more than of what is no token."""
        return token.client_id == client.registered.id

    def create_introspection_payload(self, token: Token | None) -> dict[str, Any]:
        """RFC 7662 2.2."""
        client = registry.by_row_id(token.client_id) if token else None
        if token is None or client is None:
            return {"active": False}
        kind = {"token_type": "Bearer"} if token.kind is TokenKind.ACCESS else {}
        return {
            "active": True,
            **kind,
            "iss": settings.issuer,
            "sub": subjects.subject(token.account.sub, client),
            "client_id": client.client_id,
            "scope": token.scope,
            "iat": int(token.issued_at.timestamp()),
            "exp": int(token.expires_at.timestamp()),
        }


@blueprint.post("/introspect")
def introspect() -> Response:
    """One client, one token."""
    return answered(partial(server.create_endpoint_response, Introspection.ENDPOINT_NAME))


server.register_endpoint(Introspection)
