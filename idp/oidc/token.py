"""The token endpoint (RFC 6749 3.2)."""

from authlib.oauth2.rfc7636 import CodeChallenge
from flask import Blueprint
from werkzeug.wrappers import Response

from idp.oidc import cors, dpop
from idp.oidc.client_credentials import OwnGrant
from idp.oidc.endpoint import answered
from idp.oidc.grant_types import CodeGrant, RefreshGrant
from idp.oidc.id_token import IdToken
from idp.oidc.server import server

blueprint = dpop.telling_nonces(cors.for_public_clients(Blueprint("token", __name__)))


class _S256Only(CodeChallenge):  # type: ignore[misc]
    """RFC 7636 4.6, without `plain`."""

    DEFAULT_CODE_CHALLENGE_METHOD = "S256"
    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)


@blueprint.post("/token")
def token() -> Response:
    """Redeem a code or a refresh token, or ask for a token of one's own."""
    return answered(server.create_token_response)


server.register_grant(CodeGrant, [IdToken(), _S256Only(required=True)])
server.register_grant(RefreshGrant)
server.register_grant(OwnGrant)
