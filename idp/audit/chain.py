"""How events are chained: each carries a code over itself and over the code before it.

HMAC-SHA256 (RFC 2104) under a key that the database does not hold. Everything here is arithmetic; no
row is read or written.
"""

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, select

from idp.audit.models import AuditEvent

COLUMNS = select(
    AuditEvent.id,
    AuditEvent.seq,
    AuditEvent.at,
    AuditEvent.event,
    AuditEvent.account,
    AuditEvent.client,
    AuditEvent.actor,
    AuditEvent.details,
    AuditEvent.mac,
)
"""What `record` reads of a row, and its seal."""


@dataclass(frozen=True)
class Link:
    """A place in the chain: number from 1, and the code of its event, 64 hexadecimal characters."""

    seq: int
    mac: str


START = Link(0, "0" * 64)
"""What the first event stands on."""


@dataclass(frozen=True)
class Ends:
    """Where the chain ends and what its first event stands on; `former`: the last place of another key."""

    head: Link = START
    floor: Link = START
    former: int = 0


@dataclass(frozen=True)
class Batch:
    """What one transaction sealed: the new end of the chain, and its events as JSON lines."""

    head: Link
    at: datetime
    lines: tuple[str, ...]

    @property
    def head_line(self) -> str:
        """The end of the chain for a collector, who can hold the database to it later."""
        return to_line(
            {
                "type": "audit_head",
                "seq": self.head.seq,
                "mac": self.head.mac,
                "at": moment(self.at),
                "count": len(self.lines),
            }
        )


def record(row: Row[Any], seq: int | None) -> dict[str, Any]:
    """All that an event says, as JSON values, at its place in the chain (None: not sealed yet)."""
    return {
        "id": row.id,
        "seq": seq,
        "at": moment(row.at),
        "event": row.event,
        "account": row.account,
        "client": row.client,
        "actor": row.actor,
        "details": row.details,
    }


def event_line(said: dict[str, Any], mac: str | None) -> str:
    """One event for a collector or an export."""
    return to_line({"type": "audit_event", **said, "mac": mac})


def link(key: bytes, previous: Link, said: dict[str, Any]) -> Link:
    """The link of an event that follows `previous`; `said` is its `record`."""
    text = previous.mac + to_line(said)
    return Link(said["seq"], _code(key, text))


def tag(key: bytes, ends: Ends) -> str:
    """What authenticates the row of the chain itself. No event's text begins like this."""
    head, floor = ends.head, ends.floor
    return _code(key, "chain" + to_line([head.seq, head.mac, floor.seq, floor.mac, ends.former]))


def to_line(value: object) -> str:
    """Canonical JSON: sorted names, no blanks, ASCII only."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def moment(at: datetime) -> str:
    """ISO 8601, UTC, to the microsecond."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _code(key: bytes, text: str) -> str:
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
