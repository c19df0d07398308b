"""The revocation endpoint (RFC 7009): a client gives up a token that it holds."""

from functools import partial

from authlib.oauth2.rfc6749 import InvalidRequestError
from authlib.oauth2.rfc7009 import RevocationEndpoint
from flask import Blueprint
from werkzeug.wrappers import Response

from idp.audit import events
from idp.clients.rules import AUTH_METHODS
from idp.grants import codes, tokens
from idp.grants.models import TokenKind
from idp.oidc import cors
from idp.oidc.endpoint import answered
from idp.oidc.grant_types import PresentedToken
from idp.oidc.server import ProtocolClient, TokenRequest, server

blueprint = cors.for_public_clients(Blueprint("revocation", __name__))


class Revocation(RevocationEndpoint):  # type: ignore[misc]
    """Authlib's endpoint, on our tokens."""

    CLIENT_AUTH_METHODS = AUTH_METHODS

    def check_params(self, request: TokenRequest, client: ProtocolClient) -> None:  # noqa: ARG002
        """A hint that we do not know is no reason to keep a token alive (RFC 7009 2.1)."""
        if not request.form.get("token"):
            raise InvalidRequestError("Name the token.")

    def query_token(self, value: str, hint: str | None) -> PresentedToken | None:  # noqa: ARG002
        """A living token of either kind: a value is of one only, whatever the hint says."""
        kinds = (TokenKind.REFRESH, TokenKind.ACCESS)
        row = next((found for kind in kinds if (found := tokens.find(value, kind))), None)
        return PresentedToken(row) if row else None

    def revoke_token(self, token: PresentedToken, request: TokenRequest) -> None:
        """A refresh token takes along all that came from the same sign-in at this client."""
        row = token.row
        if row.kind is TokenKind.REFRESH:
            codes.revoke(row.code_id)
        else:
            tokens.end(row)
        events.token_revoked(
            client_id=request.client.get_client_id(), sub=row.account.sub, kind=row.kind.value
        )


@blueprint.post("/revoke")
def revoke() -> Response:
    """Also for tokens that are none of ours, or no more: there is nothing left to do (RFC 7009 2.2)."""
    return answered(partial(server.create_endpoint_response, Revocation.ENDPOINT_NAME))


server.register_endpoint(Revocation)
