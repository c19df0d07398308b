"""Authlib's authorization server, fed with our clients and our own reading of token requests."""

from functools import cached_property

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import (
    ClientMixin,
    OAuth2Request,
)
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from flask import request

from idp.clients import registry
from idp.clients.registry import RegisteredClient
from idp.extensions import settings
from idp.keys import signing
from idp.keys.signing import PrivateKey

_LONGEST = 4000


class ProtocolClient(ClientMixin):  # type: ignore[misc]
    """A registration as Authlib asks about it."""

    def __init__(self, registered: RegisteredClient) -> None:
        self.registered = registered
        self.id_token_signed_response_alg = registered.id_token_signed_response_alg

    @cached_property
    def signing_key(self) -> PrivateKey:
        """The key that signs for this client, asked for once a request: `kid` and signature agree."""
        return signing.active(self.id_token_signed_response_alg)

    def get_client_id(self) -> str:
        """The public name."""
        return self.registered.client_id

    def get_allowed_scope(self, scope: str | None) -> str:
        """The scope of codes and tokens was narrowed when they were issued."""
        return scope or ""

    def check_grant_type(self, grant_type: str) -> bool:
        """Registered for this grant?"""
        return grant_type in self.registered.grant_types

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:  # noqa: ARG002
        """The one registered method, at every endpoint (RFC 7009 2.1, RFC 7662 2.1)."""
        return method == self.registered.token_endpoint_auth_method


class TokenRequest(OAuth2Request):  # type: ignore[misc]
    """A token request of form fields only: each once, none in the query (RFC 6749 3.2)."""

    def __init__(self) -> None:
        super().__init__(method=request.method, uri=settings.issuer, headers=request.headers)
        self.payload = BasicOAuth2Payload(request.form.to_dict())

    @property
    def form(self) -> dict[str, str]:
        """The fields."""
        fields: dict[str, str] = self.payload.data
        return fields

    @property
    def resources(self) -> list[str]:
        """The resource servers that are named: the one field that may come more than once (RFC 8707 2)."""
        return request.form.getlist("resource")


class Server(AuthorizationServer):  # type: ignore[misc]
    """Authlib's server; errors become responses inside it, so the caller always commits."""

    def create_oauth2_request(self, request: object) -> TokenRequest:  # noqa: ARG002 - Authlib's hook
        """Our reading of the live request."""
        return TokenRequest()

    def query_client(self, client_id: str) -> ProtocolClient | None:
        """The client, from the process's cache."""
        registered = registry.find(client_id)
        return ProtocolClient(registered) if registered else None


server = Server()
"""The one of the application: each module adds its grant or endpoint."""
