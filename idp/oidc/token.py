"""The token endpoint (RFC 6749 3.2)."""

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc7636 import CodeChallenge
from flask import Blueprint, Flask
from werkzeug.wrappers import Response

from idp.clients.rules import AUTH_METHODS
from idp.extensions import transaction
from idp.oidc.grant_types import CodeGrant, RefreshGrant
from idp.oidc.id_token import IdToken
from idp.oidc.server import Server, by_basic, by_name, by_post, check_form

blueprint = Blueprint("token", __name__)

_server = Server()


class _S256Only(CodeChallenge):  # type: ignore[misc]
    """RFC 7636 4.6, without `plain`."""

    DEFAULT_CODE_CHALLENGE_METHOD = "S256"
    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)


def init_server(app: Flask) -> None:
    """Register grants and client authentication."""
    _server.init_app(app)


@blueprint.post("/token")
def token() -> Response:
    """Redeem a code or a refresh token. One transaction, committed for refusals too."""
    try:
        check_form()
    except OAuth2Error as error:
        refused: Response = _server.handle_error_response(None, error)
        return refused
    with transaction():
        answer: Response = _server.create_token_response()
    answer.headers["Cache-Control"] = "no-store"
    return answer


_server.register_grant(CodeGrant, [IdToken(), _S256Only(required=True)])
_server.register_grant(RefreshGrant)
for _name, _method in zip(AUTH_METHODS, (by_basic, by_post, by_name), strict=True):
    _server.register_client_auth_method(_name, _method)
