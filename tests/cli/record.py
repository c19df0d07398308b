"""The audit record of a deployment that commands are run on."""

import os
import pwd
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from idp import housekeeping
from idp.audit.models import AuditEvent
from idp.cli.common import application, database_only
from idp.extensions import db, transaction

ME = f"os:{pwd.getpwuid(os.getuid()).pw_name}"
ROOT = Path(__file__).parents[2]
START = "import sys; sys.argv[0] = 'idp'; from idp.cli.main import main; main()"


def events(name: str | None = None) -> list[dict[str, Any]]:
    """What is stored, oldest first."""
    with database_only():
        rows = db.session.scalars(select(AuditEvent).order_by(AuditEvent.id)).all()
        return [
            {"account": row.account, "client": row.client, "actor": row.actor, **row.details}
            for row in rows
            if name in (None, row.event)
        ]


def leave(*values: dict[str, Any]) -> None:
    with database_only(), transaction():
        for one in values:
            row = {"event": "signed_in", "actor": "user", "details": {}, **one}
            db.session.add(AuditEvent(**row))
            db.session.flush()


def seal() -> None:
    with application():
        housekeeping.seal_audit()


def moment(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+00:00")
