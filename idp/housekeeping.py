"""What is done from time to time: tidying up (leaves first, because of foreign keys), keys, seals."""

import sys
from collections.abc import Callable

import structlog

from idp import clock
from idp.audit import events, seals
from idp.audit import keys as told
from idp.audit.chain import Batch
from idp.audit.seals import Broken
from idp.challenges import sms
from idp.challenges import verify as challenges
from idp.clients import registration_tokens, strangers
from idp.delivery import upkeep as outbox
from idp.errors import ConfigurationError
from idp.extensions import settings, transaction
from idp.flow import alerts, interaction, undelivered
from idp.grants import client_tokens, codes, tokens
from idp.keys import kek, signing
from idp.legacy import identity
from idp.migration import funnel, invitations, reminders
from idp.security import throttle
from idp.sessions import authentication, browser, logout_notices

_log = structlog.get_logger("seuil.housekeeping")

BATCH = 1000
"""Rows deleted in one transaction, so that nobody waits long behind a purge."""

_SEALED_AT_ONCE = 500


def audit_key() -> bytes:
    """What seals audit events: derived from the key-encryption key, so that no database holds it."""
    return kek.ring().secret("audit")


def _erase_payloads(limit: int) -> int:
    return outbox.erase(limit, undelivered.OWNERS)


def _purge_audit(limit: int) -> int:
    """A broken chain stays as it is, whatever its age: it is evidence."""
    try:
        key = audit_key()
    except ConfigurationError as error:
        _log.error("audit_not_purged", why=str(error))
        return 0
    gone = seals.purge(key, clock.now() - settings.audit_kept, limit)
    if isinstance(gone, Broken):
        _log.error("audit_chain_broken", why=gone.value, hint="idp audit verify")
        return 0
    return gone


_ORDER: tuple[tuple[str, Callable[[int], int]], ...] = (
    ("token", tokens.purge),
    ("client_token", client_tokens.purge),
    ("authorization_code", codes.purge),
    ("interaction", interaction.purge),
    ("invitation", invitations.purge),
    ("alert", alerts.purge),
    ("logout_notice", logout_notices.purge),
    ("browser_session", browser.purge),
    ("authentication", authentication.purge),
    ("challenge", challenges.purge),
    ("client", strangers.purge),
    ("registration_token", registration_tokens.purge),
    ("migration_case", funnel.purge),
    ("reminder_stop", reminders.purge),
    ("legacy_identity", identity.purge),
    ("outbox_payload", _erase_payloads),
    ("outbox", outbox.purge),
    ("throttle", throttle.purge),
    ("sms_conversion", sms.purge),
    ("signing_key", signing.purge),
    ("audit_event", _purge_audit),
)


def purge(actor: str = events.WORKER) -> dict[str, int]:
    """Delete all that is over, in bounded batches; table to rows deleted. An event if anything went.

    `outbox_payload` counts texts that were erased from rows that stay.
    """
    gone = {name: _empty(room_purge) for name, room_purge in _ORDER}
    if any(gone.values()):
        with transaction():
            events.purged(counts=gone, actor=actor)
    return gone


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
        made = signing.succeed(pairs)
        for kid in made:
            told.signing_key_created(kid=kid, actor=events.WORKER)
        return made


def remind() -> int:
    """Write reminders, where the deployment wants them written without being asked; how many."""
    return reminders.remind(actor=events.WORKER) if settings.reminders else 0


def seal_audit() -> int:
    """Seal all audit events that wait, and tell the collector; how many."""
    total, key = 0, audit_key()
    while True:
        with transaction():
            batch = seals.seal(key, _SEALED_AT_ONCE)
        if batch is None:
            return total
        if isinstance(batch, Broken):
            _log.error("audit_chain_broken", why=batch.value, hint="idp audit verify")
            return total
        _tell_collector(batch)
        total += len(batch.lines)


def _tell_collector(batch: Batch) -> None:
    """On stdout, after the batch was committed; a line in one call, so that processes do not mix."""
    events_too = batch.lines if settings.audit_stdout == "events" else ()
    heads = () if settings.audit_stdout == "none" else (batch.head_line,)
    for line in (*events_too, *heads):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
