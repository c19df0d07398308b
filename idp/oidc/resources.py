"""Resource indicators (RFC 8707): which resource server a token is for.

An authorization request names those that the client may want tokens for, a token request one of them. Without
any a token is for our userinfo, which can also be named by its address.
"""

from collections.abc import Sequence

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidScopeError
from flask import url_for

from idp.clients import registry
from idp.clients.registry import RegisteredClient
from idp.clients.rules import SCOPES
from idp.extensions import settings


class InvalidTargetError(OAuth2Error):  # type: ignore[misc]
    """RFC 8707 2."""

    error = "invalid_target"
    description = "The resource is unknown, or not one that this client may have tokens for."


def asked_for(named: Sequence[str], client: RegisteredClient) -> tuple[str, ...]:
    """Addresses of the resource servers that an authorization request names. Raises InvalidTargetError."""
    elsewhere = [uri for uri in dict.fromkeys(named) if uri != _ours()]
    for uri in elsewhere:
        _server(uri, client)
    return tuple(elsewhere)


def chosen(
    named: Sequence[str], granted: Sequence[str], client: RegisteredClient
) -> RegisteredClient | None:
    """The one resource server that a token request is about; None: userinfo. Raises InvalidTargetError."""
    wanted = named or granted
    if len(wanted) > 1:
        raise InvalidTargetError("A token is for one resource: name it.")
    if not wanted or wanted[0] == _ours():
        return None
    if wanted[0] not in granted:
        raise InvalidTargetError
    return _server(wanted[0], client)


def scope_at(server: RegisteredClient | None, scope: str) -> str:
    """What of a scope is understood there, each once.

    Raises InvalidScopeError when a resource server would get a token that lets nobody do anything: whoever
    agreed to the scope agreed to nothing there.
    """
    known = SCOPES if server is None else server.resource_scopes
    understood = " ".join(one for one in dict.fromkeys(scope.split()) if one in known)
    if server and not understood:
        raise InvalidScopeError("The resource needs one of its scopes.")
    return understood


def grantable(scope: str, uris: Sequence[str]) -> str:
    """What of a scope can be granted with these resource servers. Raises InvalidScopeError as `scope_at`."""
    servers = (None, *(registry.resource_server(uri) for uri in uris))
    return " ".join(filter(None, (scope_at(server, scope) for server in servers)))


def _server(uri: str, client: RegisteredClient) -> RegisteredClient:
    server = registry.resource_server(uri) if uri in client.resources else None
    if server is None:
        raise InvalidTargetError
    return server


def _ours() -> str:
    return settings.issuer + url_for("userinfo.userinfo")
