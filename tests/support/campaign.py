"""A campaign that has been going on: many cases, made by the database itself."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert

from idp.extensions import db, transaction
from idp.legacy.identity import LegacyIdentity
from idp.migration.models import MigrationCase

FAR = datetime.fromisoformat("2099-01-01T00:00:00+00:00")
_BATCH = 50_000


def fill(cases: list[dict[str, Any]], source: str = "portail") -> None:
    """Insert cases; what a dictionary leaves out is that of one that was just begun."""
    for begin in range(0, len(cases), _BATCH):
        with transaction():
            _insert(cases[begin : begin + _BATCH], source, begin)


def _insert(cases: list[dict[str, Any]], source: str, begin: int) -> None:
    identities = [
        {"source": source, "key": f"{source}-{begin + n}", "created_at": FAR}
        for n in range(len(cases))
    ]
    returning = insert(LegacyIdentity).returning(LegacyIdentity.id, sort_by_parameter_order=True)
    ids = db.session.scalars(returning, identities).all()
    rows = [
        {
            "identity_id": one,
            "reference": f"{source[:4]}-{one}",
            "profile": {},
            "updated_at": FAR,
            "expires_at": FAR,
            **case,
        }
        for one, case in zip(ids, cases, strict=True)
    ]
    db.session.execute(insert(MigrationCase), rows)


MOMENTS = ("code_sent_at", "mailbox_proven_at", "confirmed_at", "phone_settled_at", "completed_at")


def came_to(step: int, began: datetime, minutes: float = 1, **more: Any) -> dict[str, Any]:
    """A case that has come through so many of the steps, each after so many minutes."""
    case: dict[str, Any] = dict.fromkeys((*MOMENTS, "phone_refused_at", "group_name"))
    for number, name in enumerate(MOMENTS[:step], start=1):
        case[name] = began + timedelta(minutes=minutes * number)
    return case | {"created_at": began} | more
