"""JWTs that a client signs with a key of its own (RFC 7515): client assertions and request objects."""

from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError

from idp import clock
from idp.clients import keys
from idp.clients.registry import RegisteredClient
from idp.security import strict_json

LONGEST = 16_000
LEEWAY = 30
"""Seconds that clocks may differ."""


class UnverifiedError(Exception):
    """Not signed by the client, or not valid now. The text is constant and says what is wrong."""


def peek(text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims as they are written, believed by nobody. Raises UnverifiedError."""
    if len(text) > LONGEST:
        raise UnverifiedError("The JWT is too long.")
    try:
        written = jws.extract_compact(text.encode())
        header, claims = written.headers(), strict_json.loads(written.payload)
        strict_json.check(header)
    except (JoseError, ValueError, TypeError, RecursionError):
        header, claims = None, None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise UnverifiedError("The JWT cannot be read.")
    return header, claims


def load_keys(text: str, client: RegisteredClient) -> None:
    """See that the key which is said to have signed is there. Must not run inside a transaction."""
    header, _claims = peek(text)
    keys.load(client, _kid(header))


def verify(text: str, client: RegisteredClient, alg: str) -> dict[str, Any]:
    """Claims of what the client signed with `alg` (any of ours when empty) and that is valid now.

    Raises UnverifiedError.
    """
    header, _claims = peek(text)
    used = str(header.get("alg"))
    if used not in ([alg] if alg else keys.ALGORITHMS):
        raise UnverifiedError("The JWT is signed with an algorithm that is not the registered one.")
    for key in keys.fitting(client, used, _kid(header)):
        try:
            claims = jwt.decode(text, key, algorithms=[used]).claims
        except (JoseError, ValueError, TypeError, RecursionError):
            continue
        return valid_now(claims)
    raise UnverifiedError("The JWT is not signed with a key that is registered for the client.")


def valid_now(claims: dict[str, Any]) -> dict[str, Any]:
    """The claims, unless their time is over or has not come. Raises UnverifiedError."""
    now = clock.now().timestamp()
    times = {name: claims[name] for name in ("exp", "nbf", "iat") if name in claims}
    if any(isinstance(at, bool) or not isinstance(at, int | float) for at in times.values()):
        raise UnverifiedError("exp, nbf and iat must be numbers.")
    if times.get("exp", now) < now - LEEWAY:
        raise UnverifiedError("The JWT has expired.")
    if max(times.get("nbf", now), times.get("iat", now)) > now + LEEWAY:
        raise UnverifiedError("The JWT is not valid yet: is the clock right?")
    return claims


def audience(claims: dict[str, Any]) -> list[Any]:
    """Whom it is for, one or several (RFC 7519 4.1.3)."""
    heard = claims.get("aud")
    return heard if isinstance(heard, list) else [heard]


def _kid(header: dict[str, Any]) -> str | None:
    kid = header.get("kid")
    return kid if isinstance(kid, str) else None
