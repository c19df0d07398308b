"""`idp audit verify` and what leads to it: whether the record is whole."""

import json
import os
import subprocess
import sys
from datetime import timedelta

import time_machine
from sqlalchemy import update

from idp import clock
from idp.audit import seals
from idp.audit.models import AuditEvent
from idp.cli.common import database_only
from idp.extensions import db, transaction
from tests.cli.conftest import Shell
from tests.cli.record import ME, ROOT, START, events, seal
from tests.cli.test_check import findings, only


def test_a_sound_chain_says_how_far_it_goes(busy: Shell) -> None:
    seal()
    said = busy.ok("audit", "verify")
    head = busy.json("audit", "verify")["head"]
    assert head.startswith("7:")
    assert head in said
    assert busy.run("audit", "verify", "--head", head).exit_code == 0


def test_a_broken_chain_says_where_and_exits_with_one(busy: Shell) -> None:
    seal()
    with database_only(), transaction():
        db.session.execute(
            update(AuditEvent).where(AuditEvent.event == "frozen").values(account="sub-x")
        )
    result = busy.run("audit", "verify", "--json")
    assert result.exit_code == 1
    said = json.loads(result.stdout)
    (fault,) = said["faults"]
    assert (said["sound"], fault["kind"], fault["seq"]) == (False, "altered", 6)
    assert fault["at"] == "2026-03-02T11:00:00+00:00"
    assert isinstance(fault["id"], int)
    shown = busy.run("audit", "verify")
    assert shown.exit_code == 1
    assert "altered" in shown.stdout
    assert "2026-03-02" in shown.stdout


def test_a_head_of_the_collector_that_the_chain_does_not_reach_is_a_fault(busy: Shell) -> None:
    seal()
    result = busy.run("audit", "verify", "--head", f"9:{'a' * 64}", "--json")
    assert result.exit_code == 1
    assert [fault["kind"] for fault in json.loads(result.stdout)["faults"]] == ["cut"]


def test_looking_whether_it_is_whole_changes_nothing(busy: Shell) -> None:
    seal()
    before = events()
    busy.ok("audit", "verify")
    assert events() == before


def test_without_the_key_nothing_is_said_to_be_sound(busy: Shell) -> None:
    busy.set("IDP_KEK_FILE", str(busy.home / "nowhere.json"))
    assert "idp keys create" in busy.refused("audit", "verify")


def test_after_another_key_encryption_key_check_leads_to_a_new_chain(busy: Shell) -> None:
    seal()
    (busy.home / "keys" / "kek.json").rename(busy.home / "former.json")
    assert "not broken" not in busy.run("audit", "verify").output
    busy.ok("keys", "create", "--alg", "ES256")
    level, said = only(findings(busy, code=1), "audit")
    assert level == "error"
    assert "idp audit restart" in said
    assert "Aborted" in busy.run("audit", "restart", "--why", "the key leaked", answer="n\n").stderr
    busy.ok("audit", "restart", "--why", "the key leaked", "--yes")
    (told,) = events("audit_restarted")
    assert (told["after"], told["why"], told["actor"]) == (7, "the key leaked", ME)
    assert told["first_fault"] == "chain-row"
    seal()
    busy.ok("audit", "verify")
    assert "nothing to begin anew" in busy.refused("audit", "restart", "--why", "x", "--yes")


def test_a_chain_that_is_only_late_is_not_begun_anew(busy: Shell) -> None:
    with time_machine.travel(clock.now() + seals.OVERDUE + timedelta(minutes=1), tick=True):
        assert "unsealed" in busy.run("audit", "verify").stdout
        assert "not broken" in busy.refused("audit", "restart", "--why", "x", "--yes")


def test_unsealed_events_are_a_warning_of_check(ready: Shell) -> None:
    assert only(findings(ready, code=0), "audit")[0] == "ok"
    with time_machine.travel(clock.now() + seals.OVERDUE + timedelta(minutes=1), tick=True):
        level, said = only(findings(ready, code=0), "audit")
    assert level == "warning"
    assert "3 events" in said


def test_a_worker_writes_the_head_that_verify_accepts(busy: Shell) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", START, "worker"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        line = json.loads(process.stdout.readline())
    finally:
        process.terminate()
        process.communicate(timeout=20)
    assert (line["type"], line["seq"], line["count"]) == ("audit_head", 7, 7)
    busy.ok("audit", "verify", "--head", f"{line['seq']}:{line['mac']}")
