"""ID tokens (OIDC Core 2): who, when, how, for whom. Scope claims are in userinfo, not here."""

from typing import Any

from authlib.oidc.core import OpenIDCode
from joserfc.jwk import ECKey, RSAKey

from idp import clock
from idp.accounts.account import Account
from idp.extensions import settings
from idp.oidc.grant_types import RedeemedCode
from idp.oidc.server import ProtocolClient


class IdToken(OpenIDCode):  # type: ignore[misc]
    """Authlib's extension, with every hook it would otherwise fill with a guess."""

    def exists_nonce(self, nonce: str, request: object) -> bool:  # noqa: ARG002 - Authlib's hook
        """Replay is the client's to notice; ours is the code."""
        return False

    def resolve_client_private_key(self, client: ProtocolClient) -> RSAKey | ECKey:
        """The cached key object; a dictionary would be imported again for each token."""
        return client.signing_key

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
        return {**claims, "sid": authorization_code.row.sid}

    def generate_user_info(self, user: Account, scope: str) -> dict[str, Any]:  # noqa: ARG002
        """Only the subject."""
        return {"sub": user.sub}
