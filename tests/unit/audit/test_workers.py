"""Several workers seal at once: one chain, no gap, no fork; and a collector hears of it."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from sqlalchemy import insert

from idp import clock, housekeeping
from idp.audit.models import AuditEvent
from idp.extensions import db
from tests.support.events import check, forge, leave, rows, sealed
from tests.support.settings import override


def in_threads(app, *jobs):
    """Run all at once, each in a context of its own; an error in one is raised here."""

    def run(job):
        with app.app_context():
            job()

    with ThreadPoolExecutor(len(jobs)) as pool:
        list(pool.map(run, jobs))


def test_workers_that_seal_at_once_make_one_chain(app, monkeypatch):
    monkeypatch.setattr(housekeeping, "_SEALED_AT_ONCE", 3)
    stop = threading.Event()

    def happen():
        for _ in range(20):
            leave(3)
        stop.set()

    def work():
        while not stop.is_set():
            housekeeping.seal_audit()

    in_threads(app, happen, work, work, work)
    housekeeping.seal_audit()
    report = check()
    assert (report.verified, report.faults) == (60, ())
    assert [row.seq for row in rows()] == list(range(1, 61))


@contextmanager
def late_event():
    """An event whose row was written before those that happen inside, and is seen only after them.

    SQLite has one writer and cannot be late; there a smaller id stands for it.
    """
    values = {"at": clock.now(), "event": "late", "actor": "user", "details": {}}
    if db.engine.name == "sqlite":
        leave(1)
        yield
        forge(**values, id=-1, mac=None)
        return
    with db.engine.connect() as connection:
        connection.execute(insert(AuditEvent).values(**values))
        yield
        connection.commit()


def test_what_is_committed_late_gets_a_later_place(app):
    with late_event():
        sealed(2)
    housekeeping.seal_audit()
    last = rows()[-1]
    assert last.event == "late"
    assert last.id < rows()[-2].id
    assert last.seq == len(rows())
    assert check().faults == ()


def written(capsys):
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_the_end_of_the_chain_is_written_after_each_batch(app, monkeypatch, capsys):
    monkeypatch.setattr(housekeeping, "_SEALED_AT_ONCE", 2)
    sealed(3)
    first, second = written(capsys)
    assert {line["type"] for line in (first, second)} == {"audit_head"}
    assert [(line["seq"], line["count"]) for line in (first, second)] == [(2, 2), (3, 1)]
    assert [line["mac"] for line in (first, second)] == [rows()[1].mac, rows()[2].mac]


def test_events_are_written_before_their_head_when_asked_for(app, capsys):
    with override(app, audit_stdout="events"):
        sealed(2)
    one, two, head = written(capsys)
    assert [line["type"] for line in (one, two, head)] == [
        "audit_event",
        "audit_event",
        "audit_head",
    ]
    stored = rows()
    assert [(line["seq"], line["mac"]) for line in (one, two)] == [(r.seq, r.mac) for r in stored]
    assert one["details"] == stored[0].details


def test_nothing_is_written_when_nothing_is_asked_for_or_happens(app, capsys):
    with override(app, audit_stdout="none"):
        sealed(2)
    housekeeping.seal_audit()
    assert written(capsys) == []


def test_nothing_is_told_of_a_batch_that_was_not_committed(app, monkeypatch, capsys):
    leave(2)

    def fails(*_arguments):
        raise ArithmeticError("on purpose")

    monkeypatch.setattr("idp.audit.seals._keep", fails)
    with pytest.raises(ArithmeticError):
        housekeeping.seal_audit()
    monkeypatch.undo()
    assert written(capsys) == []
    assert {row.seq for row in rows()} == {None}
