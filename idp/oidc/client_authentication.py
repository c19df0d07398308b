"""How clients prove who they are, at every endpoint that they post to (RFC 6749 2.3, OIDC Core 9)."""

import base64
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any
from urllib.parse import unquote_plus

from authlib.oauth2.rfc6749 import InvalidClientError
from flask import request, url_for

from idp import clock
from idp.audit import events
from idp.clients import keys, registry
from idp.extensions import settings
from idp.oidc import client_jwt
from idp.oidc.server import ProtocolClient, TokenRequest
from idp.security import throttle, tokens

_TYPES = {None, "JWT", "client-authentication+jwt"}
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
PROOFS = {"client_secret", "client_assertion", "client_assertion_type"}
_LONGEST_LIFE = 3600
"""Seconds, which is what Authlib's client takes; what was used is remembered for so long."""


def by_basic(query_client: Any, token_request: TokenRequest) -> ProtocolClient | None:
    """`client_secret_basic`: both parts are form-encoded before base64 (RFC 6749 2.3.1)."""
    try:
        named = _basic(token_request.headers.get("Authorization", ""))
    except ValueError:
        raise InvalidClientError(
            "The Authorization header is malformed.", status_code=401
        ) from None
    return _with_secret(query_client(named[0]), named[1]) if named else None


def _basic(header: str) -> tuple[str, str] | None:
    """Name and secret; None for another kind of header. Raises ValueError for a malformed one."""
    kind, _, value = header.partition(" ")
    if kind.lower() != "basic":
        return None
    name, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
    return unquote_plus(name), unquote_plus(secret)


def by_post(query_client: Any, token_request: TokenRequest) -> ProtocolClient | None:
    """`client_secret_post`."""
    form = token_request.form
    if "client_secret" not in form:
        return None
    return _with_secret(query_client(form.get("client_id", "")), form["client_secret"])


def by_name(query_client: Any, token_request: TokenRequest) -> ProtocolClient | None:
    """`none`: a public client, known by PKCE only."""
    form = token_request.form
    if PROOFS & form.keys() or "Authorization" in token_request.headers:
        return None
    client: ProtocolClient | None = query_client(form.get("client_id", ""))
    return client


def _with_secret(client: ProtocolClient | None, secret: str) -> ProtocolClient | None:
    """Runs in the token request's transaction, which is committed for refusals too."""
    if client is None or client.registered.secret_matches(secret):
        return client
    name = client.get_client_id()
    if events.due(f"client:{name}"):
        events.client_refused(client_id=name)
    return None


def by_assertion(query_client: Any, token_request: TokenRequest) -> ProtocolClient | None:
    """`private_key_jwt` (RFC 7523 3): a JWT of the client's, for us, of one use."""
    form = token_request.form
    if not form.keys() & {"client_assertion", "client_assertion_type"}:
        return None
    if form.get("client_assertion_type") != _ASSERTION_TYPE:
        raise _refused(f"The client_assertion_type must be {_ASSERTION_TYPE}.")
    assertion = form.get("client_assertion", "")
    try:
        client = _named(query_client, assertion, form)
        registered = client.registered
        alg = registered.token_endpoint_auth_signing_alg
        claims = client_jwt.verify(assertion, registered, alg)
    except client_jwt.UnverifiedError as error:
        raise _refused(str(error)) from None
    _check_claims(claims, client)
    return client


def load_keys(form: Mapping[str, str]) -> None:
    """See that the keys are there with which to check an assertion or encrypt an answer.

    Must not run inside a transaction.
    """
    named = registry.find(claimed(form))
    if named and named.encrypts:
        keys.load(named, None)
    if assertion := form.get("client_assertion"):
        with suppress(client_jwt.UnverifiedError):
            _header, claims = client_jwt.peek(assertion)
            client = registry.find(str(claims.get("sub")))
            if client and client.token_endpoint_auth_method == "private_key_jwt":
                client_jwt.load_keys(assertion, client)


def method_used(form: Mapping[str, str]) -> str:
    """How somebody would prove to be a client, rightly or wrongly."""
    if "Authorization" in request.headers:
        return "client_secret_basic"
    if form.keys() & {"client_assertion", "client_assertion_type"}:
        return "private_key_jwt"
    return "client_secret_post" if "client_secret" in form else "none"


def claimed(form: Mapping[str, str]) -> str:
    """The client_id that is named, by whomever; empty when none is."""
    with suppress(ValueError):
        if named := _basic(request.headers.get("Authorization", "")):
            return named[0]
    if not form.get("client_id") and "client_assertion" in form:
        with suppress(client_jwt.UnverifiedError):
            return str(client_jwt.peek(form["client_assertion"])[1].get("sub"))
    return form.get("client_id", "")


def _named(query_client: Any, assertion: str, form: Mapping[str, str]) -> ProtocolClient:
    header, claims = client_jwt.peek(assertion)
    if header.get("typ") not in _TYPES:
        raise client_jwt.UnverifiedError("The typ must be client-authentication+jwt.")
    name = claims.get("sub")
    client: ProtocolClient | None = query_client(name) if isinstance(name, str) else None
    if client is None or not client.check_endpoint_auth_method("private_key_jwt", ""):
        raise client_jwt.UnverifiedError(
            "sub names no client that authenticates by private_key_jwt."
        )
    if claims.get("iss") != name or form.get("client_id", name) != name:
        raise client_jwt.UnverifiedError("iss, sub and client_id must all be the client_id.")
    return client


def _check_claims(claims: dict[str, Any], client: ProtocolClient) -> None:
    """For us only, short-lived, and never seen before (RFC 7523 3; OpenID Connect Core 9)."""
    audience = client_jwt.audience(claims)
    ours = {
        settings.issuer,
        settings.issuer + url_for("token.token"),
        settings.issuer + request.path,
    }
    if not audience or not all(isinstance(one, str) and one in ours for one in audience):
        raise _refused(f"aud must be {settings.issuer}.")
    now, jti = clock.now().timestamp(), claims.get("jti")
    if (
        not now - client_jwt.LEEWAY
        < claims.get("exp", 0)
        <= now + client_jwt.LEEWAY + _LONGEST_LIFE
    ):
        raise _refused("exp must be there, and no more than an hour away.")
    if not isinstance(jti, str) or not jti:
        raise _refused("jti must be there.")
    lives = timedelta(seconds=claims["exp"] + 2 * client_jwt.LEEWAY - now)
    if not throttle.once(f"jti:{client.registered.id}:{tokens.digest(jti)}", lives):
        raise _refused("The assertion was used before: its jti must be new each time.")


def _refused(text: str) -> InvalidClientError:
    return InvalidClientError(text, status_code=401)


METHODS = {
    "client_secret_basic": by_basic,
    "client_secret_post": by_post,
    "private_key_jwt": by_assertion,
    "none": by_name,
}
"""Each of `rules.AUTH_METHODS`."""
