"""Security events, one typed function each. Each inserts a row in the caller's transaction.

`sub` is the account's subject; `client_id` the relying party's public name. Details are constants,
references and masked contacts.
"""

from idp.audit.models import AuditEvent
from idp.extensions import db

USER = "user"
"""Whoever sits at the browser."""


def signed_in(*, sub: str, client_id: str, channel: str) -> None:
    """Both factors passed."""
    _record("signed_in", account=sub, client=client_id, channel=channel)


def sign_in_failed(*, reason: str, client_id: str, interaction: str) -> None:
    """A password was refused; `reason` is a constant for operators only."""
    _record("sign_in_failed", client=client_id, reason=reason, interaction=interaction[:8])


def migrated(*, sub: str, source: str, reference: str) -> None:
    """A legacy identity became an account's."""
    _record("migrated", account=sub, source=source, reference=reference)


def code_reused(*, client_id: str, sub: str) -> None:
    """An authorization code came twice; all that descends from it is dead."""
    _record("code_reused", account=sub, client=client_id)


def refresh_token_reused(*, client_id: str, sub: str) -> None:
    """A rotated refresh token came again; its family is dead."""
    _record("refresh_token_reused", account=sub, client=client_id)


def session_ended(*, sub: str) -> None:
    """Somebody signed out."""
    _record("session_ended", account=sub)


def frozen(*, sub: str, why: str, actor: str = USER) -> None:
    """Nobody is let in until an administrator says otherwise."""
    _record("frozen", account=sub, actor=actor, why=why)


def _record(
    event: str,
    *,
    account: str | None = None,
    client: str | None = None,
    actor: str = USER,
    **details: str | int | bool,
) -> None:
    db.session.add(
        AuditEvent(event=event, account=account, client=client, actor=actor, details=details)
    )
