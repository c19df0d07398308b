"""Twenty-five thousand events are exported and verified in the memory that none take."""

import os
import subprocess
import sys

import pytest
from flask import Flask
from sqlalchemy import insert

from idp import clock, housekeeping
from idp.audit.models import AuditEvent
from idp.extensions import db, transaction
from tests.support.settings import override

COUNT = 25_000
START = "import sys; sys.argv[0] = 'idp'; from idp.cli.main import main; main()"
ALLOWED = 25 * 1024
"""KiB; the rows are 60 MiB."""


def peak(app: Flask, *arguments: str) -> int:
    """Greatest resident size (KiB) of one command, in a process of its own."""
    settings = app.extensions["seuil.settings"]
    options = {"IDP_DATABASE_URL": settings.database_url, "IDP_KEK_FILE": str(settings.kek_file)}
    process = subprocess.Popen(
        [sys.executable, "-c", START, *arguments],
        env={**os.environ, **options},
        stdout=subprocess.DEVNULL,
    )
    _pid, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_maxrss


@pytest.fixture
def many(app: Flask) -> Flask:
    """Sealed events of about two kilobytes each."""
    row = {"at": clock.now(), "event": "purged", "actor": "worker", "details": {"gone": "x" * 2000}}
    for _ in range(10):
        with transaction():
            db.session.execute(insert(AuditEvent), [row] * (COUNT // 10))
    with override(app, audit_stdout="none"):
        assert housekeeping.seal_audit() == COUNT
    return app


def test_memory_is_bounded(many: Flask) -> None:
    least = peak(many, "audit", "export", "--since", "2999-01-01")
    assert peak(many, "audit", "export") - least < ALLOWED
    assert peak(many, "audit", "verify") - least < ALLOWED
