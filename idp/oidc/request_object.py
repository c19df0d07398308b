"""Request objects (RFC 9101): the parameters of an authorization request in a JWT that the client signed.

Only what stands in the object counts then. Without a signature they are taken from clients that are registered
so where the deployment allows it. Objects by reference (`request_uri`) are not fetched.
"""

import json
from contextlib import suppress
from typing import Any

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidRequestError
from authlib.oauth2.rfc9101.errors import (
    InvalidRequestObjectError,
    RequestNotSupportedError,
    RequestUriNotSupportedError,
)
from werkzeug.datastructures import MultiDict

from idp.clients import registry
from idp.clients.registry import RegisteredClient
from idp.extensions import settings
from idp.oidc import client_jwt
from idp.oidc.request import Parameters

_OF_THE_JWT = {"iss", "aud", "exp", "nbf", "iat", "jti", "sub"}
_TYPES = {None, "JWT", "oauth-authz-req+jwt"}


def open_(parameters: Parameters) -> tuple[Parameters, OAuth2Error | None]:
    """The parameters that count. With an error those that tell where it may go: whether they can be believed
    is for `request.trust` to say. See `load_keys`."""
    client = registry.find(parameters.get("client_id", ""))
    if client is None:
        return parameters, None
    try:
        if "request_uri" in parameters:
            raise RequestUriNotSupportedError("The request_uri parameter is not supported.")
        if "request" in parameters:
            return _opened(parameters, client), None
        if client.require_signed_request_object:
            raise InvalidRequestError("This client must send a signed request object.")
    except OAuth2Error as error:
        return parameters, error
    return parameters, None


def load_keys(parameters: Parameters) -> None:
    """See that the keys are there with which to check an object. Must not run inside a transaction."""
    client = registry.find(parameters.get("client_id", ""))
    if client and client.request_object_signing_alg and "request" in parameters:
        with suppress(client_jwt.UnverifiedError):
            client_jwt.load_keys(parameters["request"], client)


def _opened(parameters: Parameters, client: RegisteredClient) -> Parameters:
    alg = client.request_object_signing_alg
    if not alg or (alg == "none" and "unsigned-requests" not in settings.weaker_clients):
        raise RequestNotSupportedError("This client is not registered for request objects.")
    if any(len(parameters.getlist(name)) != 1 for name in ("request", "client_id")):
        raise InvalidRequestError("A parameter was sent more than once.")
    try:
        claims = _claims(parameters["request"], client, alg)
    except client_jwt.UnverifiedError as error:
        raise InvalidRequestObjectError(str(error)) from None
    return MultiDict(
        (name, _text(value))
        for name in claims.keys() - _OF_THE_JWT
        for value in _each(name, claims[name])
    )


def _claims(text: str, client: RegisteredClient, alg: str) -> dict[str, Any]:
    """Raises UnverifiedError."""
    header, claims = client_jwt.peek(text)
    if alg == "none":
        if header.get("alg") != "none" or not text.endswith("."):
            raise client_jwt.UnverifiedError(
                "The request object must have the alg none, as registered."
            )
        client_jwt.valid_now(claims)
    else:
        claims = client_jwt.verify(text, client, alg)
        _check_parties(claims, client)
    if header.get("typ") not in _TYPES:
        raise client_jwt.UnverifiedError("The typ must be oauth-authz-req+jwt.")
    if claims.get("client_id") != client.client_id:
        raise client_jwt.UnverifiedError("The client_id in the request object must be the same.")
    if claims.keys() & {"request", "request_uri"}:
        raise client_jwt.UnverifiedError("A request object cannot hold another one.")
    return claims


def _check_parties(claims: dict[str, Any], client: RegisteredClient) -> None:
    """From this client, for us; and no client assertion that went astray (RFC 9101 10.8)."""
    audience = client_jwt.audience(claims)
    if claims.get("iss") != client.client_id or settings.issuer not in audience:
        raise client_jwt.UnverifiedError(f"iss must be the client_id and aud {settings.issuer}.")
    if claims.get("sub") == client.client_id:
        raise client_jwt.UnverifiedError(
            "sub must not be the client_id: that is a client assertion."
        )


def _each(name: str, value: Any) -> list[Any]:
    """Several resources are a list (RFC 8707 2.1)."""
    return value if name == "resource" and isinstance(value, list) else [value]


def _text(value: Any) -> str:
    """As it would stand in a query."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict) or (isinstance(value, int) and not isinstance(value, bool)):
        return json.dumps(value)
    raise InvalidRequestObjectError(
        "A parameter in the request object is neither text, number nor object."
    )
