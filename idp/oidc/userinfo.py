"""The userinfo endpoint (OIDC Core 5.3), with bearer tokens (RFC 6750) and bound ones (RFC 9449 7)."""

from dataclasses import dataclass
from typing import Any

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidRequestError
from authlib.oauth2.rfc6750 import InsufficientScopeError, InvalidTokenError
from flask import Blueprint, jsonify, request
from werkzeug.wrappers import Response

from idp.clients import keys, registry, subjects
from idp.clients.registry import RegisteredClient
from idp.extensions import settings, transaction
from idp.grants import tokens
from idp.grants.models import Token, TokenKind
from idp.oidc import claims, claims_parameter, cors, dpop, jwts, legacy_scope, step_up

blueprint = dpop.telling_nonces(cors.for_public_clients(Blueprint("userinfo", __name__)))


@dataclass(frozen=True)
class _Presented:
    """A token as it came: by itself, or with a proof for its key."""

    value: str
    proof: dpop.Proof | None = None

    def check(self, token: Token) -> None:
        """A bound token comes with a proof of its key, and no other one does. Raises OAuth2Error."""
        if token.jkt != (self.proof and self.proof.jkt):
            raise InvalidTokenError(
                "The token is bound to another key, to none, or to one not shown."
            )
        if self.proof and not self.proof.is_for(self.value):
            raise dpop.InvalidProofError("ath of the DPoP proof must be the SHA-256 of the token.")

    def use(self) -> None:
        """Raises InvalidProofError when the proof was used before. In a transaction of its own."""
        if self.proof:
            with transaction():
                self.proof.use()


@blueprint.route("/userinfo", methods=["GET", "POST"])
def userinfo() -> Response:
    """Claims of the token's scope. One statement; one more for old identifiers, and one for a proof."""
    try:
        presented = _presented()
        token = tokens.find(presented.value, TokenKind.ACCESS)
        client = registry.by_row_id(token.client_id) if token else None
        if token is None or client is None or token.resource is not None:
            raise InvalidTokenError
        presented.check(token)
        if "openid" not in token.scope.split():
            raise InsufficientScopeError
        step_up.check(token, client)
        told = _claims(token, client)
        presented.use()
        return _answer(told, client)
    except OAuth2Error as error:
        return _refused(error)


def _answer(told: dict[str, Any], client: RegisteredClient) -> Response:
    """As JSON, or as a JWT where the client is registered so (OIDC Core 5.3.2). Raises as `jwts.encrypt`."""
    content: str | dict[str, Any] = told
    if alg := client.userinfo_signed_response_alg:
        told = {**told, "iss": settings.issuer, "aud": client.client_id}
        content = jwts.sign(told, alg)
    if alg := client.userinfo_encrypted_response_alg:
        keys.load(client, None)
        content = jwts.encrypt(content, client, alg, client.userinfo_encrypted_response_enc)
    if isinstance(content, dict):
        return jsonify(content)
    return Response(content, mimetype="application/jwt")


def _claims(token: Token, client: RegisteredClient) -> dict[str, Any]:
    """Of the scope, and those asked for one by one."""
    account, wishes = token.account, (token.code.claims or {}).get("userinfo", {})
    return {
        "sub": subjects.subject(account.sub, client),
        **claims.of(account, client.within(token.scope)),
        **claims_parameter.fulfilled(wishes, account, client),
        **legacy_scope.of(token),
    }


def _presented() -> _Presented:
    """The token, from the header or from a form, never from the query (RFC 6750 2, RFC 9700 4.3.2)."""
    header = request.headers.get("Authorization")
    posted = request.form.getlist("access_token")
    if len(posted) + (header is not None) > 1:
        raise InvalidRequestError("Present the access token in one way only.")
    if posted:
        return _Presented(posted[0])
    kind, _, value = (header or "").partition(" ")
    if kind.lower() == "dpop":
        proof = dpop.read()
        if proof is None:
            raise dpop.InvalidProofError
        return _Presented(value.strip(), proof)
    if kind.lower() != "bearer":
        raise InvalidTokenError("Present an access token.")
    return _Presented(value.strip())


def _refused(error: OAuth2Error) -> Response:
    """With a challenge for every refusal (RFC 6750 3, RFC 9449 7.1), which Authlib gives to some."""
    status, body, _headers = error()
    answer = jsonify(body)
    of_proof = isinstance(error, dpop.InvalidProofError | dpop.UseNonceError)
    answer.status_code = 401 if of_proof else status
    needs = error.needs if isinstance(error, step_up.InsufficientUserAuthenticationError) else {}
    told = {"error": error.error, "error_description": error.description, **needs}
    words = ", ".join(f'{name}="{value}"' for name, value in told.items())
    bound = request.headers.get("Authorization", "").lower().startswith("dpop")
    algs = dpop.challenge()
    answer.headers["WWW-Authenticate"] = (
        f"DPoP {words}, {algs}" if bound else f"Bearer {words}, DPoP {algs}"
    )
    return answer
