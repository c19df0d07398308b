"""Security events, one typed function each, as JSON lines. Never a secret; contacts only masked."""

import structlog

_log = structlog.get_logger("seuil.audit")


def signed_in(*, sub: str, client_id: str, channel: str) -> None:
    """Both factors passed."""
    _log.info("signed_in", sub=sub, client_id=client_id, channel=channel)


def sign_in_failed(*, reason: str, interaction: str) -> None:
    """A password was refused; `reason` is a constant for operators only."""
    _log.info("sign_in_failed", reason=reason, interaction=interaction[:8])


def migrated(*, sub: str, source: str, reference: str) -> None:
    """A legacy identity became an account's."""
    _log.info("migrated", sub=sub, source=source, reference=reference)


def code_reused(*, client_id: str, sub: str) -> None:
    """An authorization code came twice; all that descends from it is dead."""
    _log.warning("code_reused", client_id=client_id, sub=sub)


def refresh_token_reused(*, client_id: str, sub: str) -> None:
    """A rotated refresh token came again; its family is dead."""
    _log.warning("refresh_token_reused", client_id=client_id, sub=sub)


def session_ended(*, sub: str) -> None:
    """Somebody signed out."""
    _log.info("session_ended", sub=sub)
