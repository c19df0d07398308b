"""The revocation endpoint (RFC 7009): a client gives up a token that it holds."""

from functools import partial

from authlib.oauth2.rfc6749 import InvalidRequestError
from authlib.oauth2.rfc7009 import RevocationEndpoint
from flask import Blueprint
from werkzeug.wrappers import Response

from idp.audit import events
from idp.clients.rules import AUTH_METHODS
from idp.grants import client_tokens, codes, tokens
from idp.grants.models import ClientToken, Token, TokenKind
from idp.oidc import cors
from idp.oidc.endpoint import answered
from idp.oidc.server import ProtocolClient, TokenRequest, server

blueprint = cors.for_public_clients(Blueprint("revocation", __name__))


class _Held:
    """A token row of either table as Authlib asks about it."""

    def __init__(self, row: Token | ClientToken) -> None:
        self.row = row

    def check_client(self, client: ProtocolClient) -> bool:
        """Was it given to this client?"""
        return self.row.client_id == client.registered.id


class Revocation(RevocationEndpoint):  # type: ignore[misc]
    """Authlib's endpoint, on our tokens."""

    CLIENT_AUTH_METHODS = AUTH_METHODS

    def check_params(self, request: TokenRequest, client: ProtocolClient) -> None:  # noqa: ARG002
        """A hint that we do not know is no reason to keep a token alive (RFC 7009 2.1)."""
        if not request.form.get("token"):
            raise InvalidRequestError("Name the token.")

    def query_token(self, value: str, hint: str | None) -> _Held | None:  # noqa: ARG002
        """A living token of either kind: a value is of one only, whatever the hint says."""
        kinds = (TokenKind.REFRESH, TokenKind.ACCESS)
        of_people = (found for kind in kinds if (found := tokens.find(value, kind)))
        row = next(of_people, None) or client_tokens.find(value)
        return _Held(row) if row else None

    def revoke_token(self, token: _Held, request: TokenRequest) -> None:
        """A refresh token takes along all that came from the same sign-in at this client."""
        row, name = token.row, request.client.get_client_id()
        if isinstance(row, ClientToken):
            client_tokens.end(row)
            events.token_revoked(client_id=name, sub=None, kind=TokenKind.ACCESS.value)
            return
        if row.kind is TokenKind.REFRESH:
            codes.revoke(row.code_id)
        else:
            tokens.end(row)
        events.token_revoked(client_id=name, sub=row.account.sub, kind=row.kind.value)


@blueprint.post("/revoke")
def revoke() -> Response:
    """Also for tokens that are none of ours, or no more: there is nothing left to do (RFC 7009 2.2)."""
    return answered(partial(server.create_endpoint_response, Revocation.ENDPOINT_NAME))


server.register_endpoint(Revocation)
