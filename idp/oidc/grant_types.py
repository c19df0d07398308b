"""The grants of people at the token endpoint: authorization code (RFC 6749 4.1.3) and refresh token (6)."""

from collections.abc import Sequence
from typing import Any

from authlib.oauth2.rfc6749 import InvalidGrantError
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant, RefreshTokenGrant

from idp.accounts.account import Account
from idp.audit import events
from idp.clients import strangers
from idp.clients.registry import RegisteredClient
from idp.clients.rules import AUTH_METHODS
from idp.extensions import db
from idp.grants import codes, consents, tokens
from idp.grants.models import AuthorizationCode, Token, TokenKind
from idp.grants.tokens import Terms
from idp.oidc import access_tokens, dpop, jwts, resources
from idp.oidc.access_tokens import Order
from idp.oidc.server import ProtocolClient, TokenRequest
from idp.sessions import authentication

NO_REFRESH_TOKEN = "The refresh token is invalid, expired, or was used before."
NO_CONSENT = "The person does not agree any more."


class RedeemedCode:
    """A code row as Authlib asks about it, and the client that brought it and to which it was given."""

    code_challenge_method = "S256"

    def __init__(self, row: AuthorizationCode, client: RegisteredClient) -> None:
        self.row, self.client = row, client
        self.code_challenge = row.code_challenge

    def get_redirect_uri(self) -> str:
        """As the authorization request named it."""
        return self.row.redirect_uri

    def get_scope(self) -> str:
        """As granted."""
        return self.row.scope

    def get_nonce(self) -> str | None:
        """As the authorization request named it."""
        return self.row.nonce

    def get_auth_time(self) -> int:
        """When the second factor passed, in epoch seconds."""
        return int(self.row.authentication.authenticated_at.timestamp())

    def get_acr(self) -> str:
        """The level, by channel."""
        return authentication.acr(self.row.authentication)

    def get_amr(self) -> list[str]:
        """What happened."""
        return authentication.amr(self.row.authentication)


class PresentedToken:
    """A refresh token row as Authlib asks about it."""

    def __init__(self, row: Token) -> None:
        self.row = row

    def check_client(self, client: ProtocolClient) -> bool:
        """Was it given to this client?"""
        return self.row.client_id == client.registered.id

    def get_scope(self) -> str:
        """As granted."""
        return self.row.scope


class TokenGrant:
    """What all grants do: they come to an order before anything is used up, so that a refusal costs nothing."""

    request: TokenRequest
    _proof: dpop.Proof | None

    def validate_token_request(self) -> None:
        """The proof first: whoever asks again, with our nonce, has its client assertion still."""
        self._proof = dpop.read()
        super().validate_token_request()  # type: ignore[misc]

    def order(self, granted: Sequence[str], scope: str, jkt: str | None) -> Order:
        """What is asked, of the resources granted and with the key that was promised (None: any, or none).

        Raises InvalidTargetError, InvalidScopeError, InvalidProofError, InvalidGrantError.
        """
        client, proof = self.request.client.registered, self._proof
        server = resources.chosen(self.request.resources, granted, client)
        understood = resources.scope_at(server, scope)
        if proof is None and (jkt or client.dpop_bound_access_tokens):
            raise dpop.InvalidProofError
        if proof and jkt and proof.jkt != jkt:
            raise InvalidGrantError("The DPoP proof is of another key than was promised.")
        return Order(client, server, understood, proof.jkt if proof else None)

    def use_proof(self) -> None:
        """It will not be good again. Raises InvalidProofError when it was used before."""
        if self._proof:
            self._proof.use()


class CodeGrant(TokenGrant, AuthorizationCodeGrant):  # type: ignore[misc]
    """Redeem a code. It is claimed only after redirect URI and verifier were found right."""

    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS

    def query_authorization_code(self, code: str, client: ProtocolClient) -> RedeemedCode | None:
        """The code, used or not: reuse is noticed in `authenticate_user`."""
        row = codes.find(code, client.registered.id)
        return RedeemedCode(row, client.registered) if row else None

    def authenticate_user(self, redeemed: RedeemedCode) -> Account:
        """Claim the code. A second comer kills all that came from it (RFC 6749 4.1.2)."""
        row = redeemed.row
        self._order = self.order(row.resources or (), row.scope, row.jkt)
        jwts.check_key(self.client.registered)
        self.use_proof()
        if not codes.claim(row):
            codes.revoke(row.id)
            db.session.refresh(row, ["used_at"])
            if row.used_at is not None:
                events.code_reused(client_id=self.client.get_client_id(), sub=row.account.sub)
            raise InvalidGrantError("The code is invalid, expired, or was used before.")
        return row.account

    def generate_token(self, *, scope: str, **_unused: Any) -> dict[str, Any]:
        """Insert the tokens; a refresh token only for `offline_access`."""
        code = self.request.authorization_code.row
        strangers.note_use(self.client.registered)
        token = access_tokens.for_person(self._order, code)
        if "offline_access" in scope.split() and self.client.check_grant_type("refresh_token"):
            token["refresh_token"] = _refresh_token(self._order, code, scope)
        return token

    def save_token(self, token: dict[str, Any]) -> None:
        """Nothing to do: a token is inserted when its value is made."""

    def delete_authorization_code(self, redeemed: RedeemedCode) -> None:
        """Nothing to do: used codes are kept, to notice their reuse."""


class RefreshGrant(TokenGrant, RefreshTokenGrant):  # type: ignore[misc]
    """Rotate a refresh token; a used one that comes again kills its family (RFC 9700 4.14.2)."""

    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS

    def authenticate_refresh_token(self, value: str) -> PresentedToken:
        """The living token, used or not. Raises InvalidGrantError."""
        row = tokens.find(value, TokenKind.REFRESH)
        if row is None:
            raise InvalidGrantError(NO_REFRESH_TOKEN)
        return PresentedToken(row)

    def authenticate_user(self, presented: PresentedToken) -> Account:
        """Use the token up."""
        row, client = presented.row, self.request.client.registered
        # What the registration has lost since is not given again.
        kept = client.within(self.request.payload.scope or row.scope)
        self._order = self.order(row.code.resources or (), kept, row.jkt)
        self.use_proof()
        scopes = frozenset(row.scope.split())
        if not (client.first_party or consents.use(row.account_id, client.id, scopes)):
            codes.revoke(row.code_id)
            raise InvalidGrantError(NO_CONSENT)
        if not tokens.claim(row):
            codes.revoke(row.code_id)
            client_id = self.request.client.get_client_id()
            events.refresh_token_reused(client_id=client_id, sub=row.account.sub)
            raise InvalidGrantError(NO_REFRESH_TOKEN)
        return row.account

    def issue_token(self, user: Account, presented: PresentedToken) -> dict[str, Any]:  # noqa: ARG002
        """New tokens; the refresh token keeps the whole scope, the access token what was asked."""
        row = presented.row
        strangers.note_use(self.client.registered)
        token = access_tokens.for_person(self._order, row)
        token["refresh_token"] = _refresh_token(self._order, row.code, row.scope)
        return token

    def save_token(self, token: dict[str, Any]) -> None:
        """Nothing to do: a token is inserted when its value is made."""

    def revoke_old_credential(self, presented: PresentedToken) -> None:
        """Nothing to do: it was used up before anything was issued."""


def _refresh_token(order: Order, code: AuthorizationCode, scope: str) -> str:
    """That of a public client is bound to its key; others prove who they are each time (RFC 9449 5)."""
    jkt = order.jkt if order.client.public else None
    return tokens.issue(TokenKind.REFRESH, code, scope, Terms(jkt=jkt))
