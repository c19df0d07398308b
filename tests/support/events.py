"""Audit events, and what somebody with write access to the database can do to them."""

from sqlalchemy import Row, delete, func, insert, select, update

from idp import housekeeping
from idp.audit.chain import Link
from idp.audit.models import AuditChain, AuditEvent
from idp.audit.verify import FaultKind, Report, verify
from idp.extensions import db, transaction


def leave(count: int = 1, name: str = "signed_in") -> None:
    """Insert events, not sealed yet."""
    with transaction():
        for number in range(count):
            db.session.add(
                AuditEvent(
                    event=name,
                    account=f"sub-{number}",
                    client="portal",
                    actor="user",
                    details={"channel": "email", "number": number, "text": "é\u2028\\"},
                )
            )
            db.session.flush()


def sealed(count: int) -> None:
    """Leave events and seal them."""
    leave(count)
    housekeeping.seal_audit()


def check(seen=None) -> Report:
    """What `idp audit verify` finds."""
    return verify(housekeeping.audit_key(), seen)


def alter(seq: int, /, **values: object) -> None:
    """Change a sealed row behind our back."""
    with transaction():
        db.session.execute(update(AuditEvent).where(AuditEvent.seq == seq).values(**values))


def remove(seq: int) -> None:
    """Delete a sealed row behind our back."""
    with transaction():
        db.session.execute(delete(AuditEvent).where(AuditEvent.seq == seq))


def forge(**values: object) -> None:
    """Insert a row that looks sealed."""
    row = {"event": "signed_in", "actor": "user", "details": {}, "mac": "0" * 64, **values}
    with transaction():
        db.session.execute(insert(AuditEvent).values(**row))


def alter_chain(**values: object) -> None:
    """Change the row of the chain behind our back."""
    with transaction():
        db.session.execute(update(AuditChain).values(**values))


def rows() -> list[Row]:
    """All events as they are stored now, in the order of the chain, those without a place last."""
    table = AuditEvent.__table__
    with db.engine.connect() as connection:
        order = (table.c.seq.is_(None), table.c.seq, table.c.id)
        return list(connection.execute(select(table).order_by(*order)))


def count() -> int:
    """How many events there are."""
    return db.session.scalar(select(func.count()).select_from(AuditEvent)) or 0


def faults(seen: Link | None = None) -> list[tuple[FaultKind, int | None]]:
    """Kind and place of all that is found."""
    return [(fault.kind, fault.seq) for fault in check(seen).faults]


def ends() -> tuple[Link, Link]:
    """Where the chain ends, and what its first event stands on."""
    row = db.session.scalars(select(AuditChain)).one()
    db.session.refresh(row)
    return Link(row.seq, row.mac), Link(row.floor_seq, row.floor_mac)
