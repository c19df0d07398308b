"""The userinfo endpoint (OIDC Core 5.3), with bearer tokens (RFC 6750)."""

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidRequestError
from authlib.oauth2.rfc6750 import InsufficientScopeError, InvalidTokenError
from flask import Blueprint, jsonify, request
from werkzeug.wrappers import Response

from idp.grants import tokens
from idp.grants.models import TokenKind
from idp.oidc import claims

blueprint = Blueprint("userinfo", __name__)


@blueprint.route("/userinfo", methods=["GET", "POST"])
def userinfo() -> Response:
    """Claims of the token's scope. One statement."""
    try:
        token = tokens.find(_presented(), TokenKind.ACCESS)
        if token is None:
            raise InvalidTokenError
        if "openid" not in token.scope.split():
            raise InsufficientScopeError
    except OAuth2Error as error:
        return _refused(error)
    return jsonify(claims.of(token.account, token.scope))


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
