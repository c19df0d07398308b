"""Security events of keys: see `events`."""

from collections.abc import Mapping

from idp.audit.writing import record


def key_encryption_key_created(*, actor: str) -> None:
    """The deployment got the key that wraps all others."""
    record("key_encryption_key_created", actor=actor)


def key_encryption_key_changed(*, step: str, counts: Mapping[str, int], actor: str) -> None:
    """A step on the way to another key that wraps all others; table to secrets that were wrapped anew."""
    anew = " ".join(f"{name}={count}" for name, count in counts.items())
    record("key_encryption_key_changed", actor=actor, step=step, anew=anew)


def signing_key_created(*, kid: str, actor: str) -> None:
    """A signing key was made, to sign at once or later."""
    record("signing_key_created", actor=actor, kid=kid)


def signing_key_rotated(*, kid: str, actor: str) -> None:
    """A signing key took over from all others of its algorithm."""
    record("signing_key_rotated", actor=actor, kid=kid)


def signing_key_retired(*, kid: str, actor: str) -> None:
    """A signing key is published no longer; what it signed verifies no more."""
    record("signing_key_retired", actor=actor, kid=kid)


def signing_key_revoked(*, kid: str, successor: str, why: str, actor: str) -> None:
    """A signing key may be in wrong hands and is published no longer; `successor` took its place, if any."""
    record("signing_key_revoked", actor=actor, kid=kid, successor=successor, why=why)
