"""ID tokens that come back to us as hints (OIDC Core 3.1.2.1, RP-Initiated Logout 2)."""

from dataclasses import dataclass

from joserfc import jwt
from joserfc.errors import JoseError

from idp.extensions import settings
from idp.keys import signing

_LONGEST = 8000


@dataclass(frozen=True)
class Hint:
    """Whom an ID token of ours spoke of, and to which client."""

    sub: str
    sid: str
    client_id: str


def read(token: str) -> Hint | None:
    """The hint, whether expired or not. None when it is not an ID token that we signed."""
    if len(token) > _LONGEST:
        return None
    try:
        decoded = jwt.decode(token, signing.verification_keys(), algorithms=[*signing.ALGORITHMS])
    except (JoseError, ValueError, KeyError, TypeError):
        return None
    claims = decoded.claims
    ours = decoded.header.get("typ") == "JWT" and claims.get("iss") == settings.issuer
    texts = [claims.get(name) for name in ("sub", "sid", "aud")]
    if not ours or not all(isinstance(text, str) for text in texts):
        return None
    return Hint(sub=claims["sub"], sid=claims["sid"], client_id=claims["aud"])
