"""Authlib's authorization server, fed with our clients and our own reading of token requests."""

import base64
import binascii
from functools import cached_property
from typing import Any
from urllib.parse import unquote_plus

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import (
    ClientMixin,
    InvalidClientError,
    InvalidRequestError,
    OAuth2Request,
)
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from flask import request

from idp.audit import events
from idp.clients import registry
from idp.clients.registry import RegisteredClient
from idp.extensions import settings
from idp.keys import signing
from idp.keys.signing import PrivateKey
from idp.security import throttle
from idp.security.throttle import Budget

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

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """The one registered method, and at the token endpoint only."""
        return endpoint == "token" and method == self.registered.token_endpoint_auth_method


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


class Server(AuthorizationServer):  # type: ignore[misc]
    """Authlib's server; errors become responses inside it, so the caller always commits."""

    def create_oauth2_request(self, request: object) -> TokenRequest:  # noqa: ARG002 - Authlib's hook
        """Our reading of the live request."""
        return TokenRequest()

    def query_client(self, client_id: str) -> ProtocolClient | None:
        """The client, from the process's cache."""
        registered = registry.find(client_id)
        return ProtocolClient(registered) if registered else None


def check_form() -> None:
    """Refuse what Authlib would take: fields in the query, fields twice, two ways to authenticate."""
    if request.mimetype != "application/x-www-form-urlencoded":
        raise InvalidRequestError("Send the parameters as application/x-www-form-urlencoded.")
    if request.args:
        raise InvalidRequestError("Parameters in the query are not accepted.")
    if any(len(values) > 1 for _, values in request.form.lists()):
        raise InvalidRequestError("A parameter was sent more than once.")
    if any(len(value) > _LONGEST for value in request.form.values()):
        raise InvalidRequestError("A parameter is too long.")
    if "Authorization" in request.headers and "client_secret" in request.form:
        raise InvalidRequestError("Authenticate in one way only.")


def by_basic(query_client: Any, token_request: TokenRequest) -> ProtocolClient | None:
    """`client_secret_basic`: both parts are form-encoded before base64 (RFC 6749 2.3.1)."""
    kind, _, value = token_request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        name, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        raise InvalidClientError(
            "The Authorization header is malformed.", status_code=401
        ) from None
    return _with_secret(query_client(unquote_plus(name)), unquote_plus(secret))


def by_post(query_client: Any, token_request: TokenRequest) -> ProtocolClient | None:
    """`client_secret_post`."""
    form = token_request.form
    if "client_secret" not in form:
        return None
    return _with_secret(query_client(form.get("client_id", "")), form["client_secret"])


def by_name(query_client: Any, token_request: TokenRequest) -> ProtocolClient | None:
    """`none`: a public client, known by PKCE only."""
    form = token_request.form
    if "client_secret" in form or "Authorization" in token_request.headers:
        return None
    client: ProtocolClient | None = query_client(form.get("client_id", ""))
    return client


def _with_secret(client: ProtocolClient | None, secret: str) -> ProtocolClient | None:
    """Runs in the token request's transaction, which is committed for refusals too."""
    if client is None or client.registered.secret_matches(secret):
        return client
    name = client.get_client_id()
    if not throttle.reserve(Budget(f"audit:client:{name}", 1, events.BOUND)):
        events.client_refused(client_id=name)
    return None
