"""Signing keys, and moments of their lives."""

from datetime import UTC, datetime, timedelta

from idp.extensions import transaction
from idp.keys import signing

START = datetime(2027, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
MOMENT = timedelta(seconds=30)


def make(alg: str = "ES256") -> str:
    """The `kid` of a new key."""
    with transaction():
        return signing.create(signing.new_pair(alg)).kid


def signs(alg: str = "ES256") -> str | None:
    """The `kid` of the key that signs."""
    return signing.active(alg).kid


def published() -> set[str]:
    """Every `kid` that is published."""
    return {key["kid"] for key in signing.public_jwks()["keys"]}
