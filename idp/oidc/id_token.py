"""ID tokens (OIDC Core 2): who, when, how, for whom.

Claims of the scope are in userinfo; here too only for clients that are registered so.
"""

from typing import Any

from authlib.oidc.core import OpenIDCode

from idp import clock
from idp.accounts.account import Account
from idp.clients import subjects
from idp.clients.registry import RegisteredClient
from idp.extensions import settings
from idp.grants.models import AuthorizationCode
from idp.keys.signing import PrivateKey
from idp.oidc import claims, claims_parameter, jwts
from idp.oidc.grant_types import CodeGrant, RedeemedCode
from idp.oidc.server import ProtocolClient, TokenRequest


class IdToken(OpenIDCode):  # type: ignore[misc]
    """Authlib's extension, with every hook it would otherwise fill with a guess."""

    def exists_nonce(self, nonce: str, request: object) -> bool:  # noqa: ARG002 - Authlib's hook
        """Replay is the client's to notice; ours is the code."""
        return False

    def process_token(self, grant: CodeGrant, response: tuple[int, dict[str, Any], object]) -> None:
        """Every request has `openid`; the access token that goes with it need not."""
        _status, token, _headers = response
        token["id_token"] = self.encode_id_token(token, grant.request)

    def resolve_client_private_key(self, client: ProtocolClient) -> PrivateKey:
        """The cached key object; a dictionary would be imported again for each token."""
        return client.signing_key

    def encode_id_token(self, token: dict[str, Any], request: TokenRequest) -> str:
        """Encrypted too where the client is registered so (OIDC Core 10.2)."""
        signed: str = super().encode_id_token(token, request)
        return jwts.encrypt_as_id_token(signed, request.client.registered)

    def get_encode_header(self, client: ProtocolClient) -> dict[str, str]:
        """`kid` of the key that signs."""
        alg = client.id_token_signed_response_alg
        return {"alg": alg, "kid": client.signing_key.kid or "", "typ": "JWT"}

    def get_client_claims(self, client: ProtocolClient) -> dict[str, Any]:
        """Issuer, audience and life."""
        now = int(clock.now().timestamp())
        life = int(settings.id_token_lifetime.total_seconds())
        return {
            "iss": settings.issuer,
            "aud": client.get_client_id(),
            "iat": now,
            "exp": now + life,
        }

    def get_authorization_code_claims(self, authorization_code: RedeemedCode) -> dict[str, Any]:
        """What the authorization request and the sign-in fixed, and the session's `sid`."""
        claims: dict[str, Any] = super().get_authorization_code_claims(authorization_code)
        row, client = authorization_code.row, authorization_code.client
        sub = subjects.subject(row.account.sub, client)
        return {**_asked(row, client), **claims, "sid": row.sid, "sub": sub}

    def generate_user_info(self, user: Account, scope: str) -> dict[str, Any]:  # noqa: ARG002
        """Nothing that the claims of the code do not have."""
        return {}


def _asked(code: AuthorizationCode, client: RegisteredClient) -> dict[str, Any]:
    """Claims of the person that belong into this token; legacy ones are in userinfo only."""
    wishes = (code.claims or {}).get("id_token", {})
    of_scope = claims.of(code.account, code.scope) if client.id_token_scope_claims else {}
    return {**of_scope, **claims_parameter.fulfilled(wishes, code.account, client)}
