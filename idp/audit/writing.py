"""One row for one event, in the caller's transaction."""

from idp.audit.models import AuditEvent
from idp.extensions import db

USER = "user"
"""Whoever sits at the browser."""


def record(
    event: str,
    *,
    account: str | None = None,
    client: str | None = None,
    actor: str = USER,
    **details: str | int,
) -> None:
    """Insert it; see `events`, which has a typed function for each."""
    db.session.add(
        AuditEvent(
            event=event,
            account=account and account[:43],
            client=client,
            actor=actor[:100],
            details=details,
        )
    )
