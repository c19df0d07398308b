"""The userinfo endpoint (OIDC Core 5.3), with bearer tokens (RFC 6750)."""

from typing import Any

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidRequestError
from authlib.oauth2.rfc6750 import InsufficientScopeError, InvalidTokenError
from flask import Blueprint, jsonify, request
from werkzeug.wrappers import Response

from idp.clients import keys, registry, subjects
from idp.clients.registry import RegisteredClient
from idp.extensions import settings
from idp.grants import tokens
from idp.grants.models import Token, TokenKind
from idp.oidc import claims, claims_parameter, client_tokens, cors, legacy_scope

blueprint = cors.for_public_clients(Blueprint("userinfo", __name__))


@blueprint.route("/userinfo", methods=["GET", "POST"])
def userinfo() -> Response:
    """Claims of the token's scope. One statement; one more for old identifiers."""
    try:
        token = tokens.find(_presented(), TokenKind.ACCESS)
        if token is None:
            raise InvalidTokenError
        if "openid" not in token.scope.split():
            raise InsufficientScopeError
    except OAuth2Error as error:
        return _refused(error)
    client = registry.by_row_id(token.client_id)
    if client is None:
        return _refused(InvalidTokenError())
    return _answer(_claims(token, client), client)


def _answer(told: dict[str, Any], client: RegisteredClient) -> Response:
    """As JSON, or as a JWT where the client is registered so (OIDC Core 5.3.2)."""
    content: str | dict[str, Any] = told
    if alg := client.userinfo_signed_response_alg:
        told = {**told, "iss": settings.issuer, "aud": client.client_id}
        content = client_tokens.sign(told, alg)
    if alg := client.userinfo_encrypted_response_alg:
        keys.load(client, None)
        try:
            enc = client.userinfo_encrypted_response_enc
            content = client_tokens.encrypt(content, client, alg, enc)
        except OAuth2Error as error:
            return _refused(error)
    if isinstance(content, dict):
        return jsonify(content)
    return Response(content, mimetype="application/jwt")


def _claims(token: Token, client: RegisteredClient) -> dict[str, Any]:
    """Of the scope, and those asked for one by one."""
    account, wishes = token.account, (token.code.claims or {}).get("userinfo", {})
    single = claims_parameter.fulfilled(wishes, claims.known(account)) if wishes else {}
    return {
        "sub": subjects.subject(account.sub, client),
        **claims.of(account, token.scope),
        **single,
        **legacy_scope.of(token),
    }


def _presented() -> str:
    """The token, from the header or from a form, never from the query (RFC 6750 2, RFC 9700 4.3.2)."""
    header = request.headers.get("Authorization")
    posted = request.form.getlist("access_token")
    if len(posted) + (header is not None) > 1:
        raise InvalidRequestError("Present the access token in one way only.")
    if posted:
        return posted[0]
    kind, _, value = (header or "").partition(" ")
    if header is None or kind.lower() != "bearer":
        raise InvalidTokenError("Present a bearer token.")
    return value.strip()


def _refused(error: OAuth2Error) -> Response:
    """With a challenge for every refusal (RFC 6750 3), which Authlib gives to some."""
    status, body, _headers = error()
    answer = jsonify(body)
    answer.status_code = status
    told = f'Bearer error="{error.error}", error_description="{error.description}"'
    answer.headers["WWW-Authenticate"] = told
    return answer
