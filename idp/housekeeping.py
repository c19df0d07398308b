"""What is tidied up from time to time, and in which order: leaves first, because of foreign keys."""

from collections.abc import Callable

from idp.challenges import verify as challenges
from idp.delivery import outbox
from idp.extensions import transaction
from idp.flow import alerts, interaction
from idp.grants import codes, tokens
from idp.keys import signing
from idp.migration import cases
from idp.security import throttle
from idp.sessions import authentication, browser

BATCH = 1000
"""Rows deleted in one transaction, so that nobody waits long behind a purge."""

_ORDER: tuple[tuple[str, Callable[[int], int]], ...] = (
    ("token", tokens.purge),
    ("authorization_code", codes.purge),
    ("interaction", interaction.purge),
    ("alert", alerts.purge),
    ("browser_session", browser.purge),
    ("authentication", authentication.purge),
    ("challenge", challenges.purge),
    ("migration_case", cases.purge),
    ("outbox", outbox.purge),
    ("throttle", throttle.purge),
    ("signing_key", signing.purge),
)


def purge() -> dict[str, int]:
    """Delete all that is over, in bounded batches; table to rows deleted."""
    return {name: _empty(room_purge) for name, room_purge in _ORDER}


def _empty(room_purge: Callable[[int], int]) -> int:
    total = 0
    while True:
        with transaction():
            gone = room_purge(BATCH)
        total += gone
        if gone < BATCH:
            return total


def rotate_keys() -> list[str]:
    """Make the successors of signing keys that come to their end; the new `kid`s."""
    pairs = [signing.new_pair(alg) for alg in signing.ending()]
    if not pairs:
        return []
    with transaction():
        return signing.succeed(pairs)
