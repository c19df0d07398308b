"""Loads of a copy that are stopped, killed or overtaken, and go on."""

import contextlib
import signal
import sqlite3
import subprocess
import sys

import pytest

from idp import clock
from idp.cli import legacy_import
from idp.cli.common import database_only
from idp.extensions import db, transaction
from idp.legacy import loading
from idp.legacy.copies import LegacyLoad
from tests.cli.conftest import Shell
from tests.cli.copies import counts, person, rows, write
from tests.cli.record import START, events


def stopped_after(monkeypatch: pytest.MonkeyPatch, batches: int, error: BaseException) -> None:
    """Let so many batches be written, then have this happen in the middle of one."""
    write_batch, done = loading.write, []

    def write_some(*arguments):
        if len(done) == batches:
            monkeypatch.setattr(loading, "write", write_batch)
            write_batch(*arguments)
            raise error
        done.append(1)
        return write_batch(*arguments)

    monkeypatch.setattr(loading, "write", write_some)


def test_an_interrupted_load_goes_on_where_it_stopped(
    old: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [person(n) for n in range(10)]
    people[1]["id"] = ""
    file = write(old.home, *people)
    load = ("legacy", "import", "portail", file, "--batch", "3", "--rejects", "bad", "--json")
    stopped_after(monkeypatch, 2, KeyboardInterrupt())
    stopped = old.run(*load)
    assert stopped.exit_code == 130
    assert "after 6 rows: run the same command again" in stopped.stderr
    assert len(rows()) == 5, "batches are whole or not there"
    again = old.run(*load)
    assert "Going on after 6 rows." in again.stderr
    assert counts(again.stdout) == {"created": 9, "refused": 1}
    assert len((old.home / "bad").read_text().splitlines()) == 1
    assert len(rows()) == 9
    assert [one["finished"] for one in events("rows_loaded")] == [False, True]


def test_an_interrupted_load_of_another_file_begins_anew(
    old: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = ("legacy", "import", "portail", write(old.home, *map(person, range(4))), "--batch", "1")
    stopped_after(monkeypatch, 2, KeyboardInterrupt())
    old.run(*load)
    write(old.home, *map(person, range(5)))
    result = old.run(*load, "--json")
    assert "Going on" not in result.stderr
    assert counts(result.stdout) == {"created": 3, "unchanged": 2}


def test_a_killed_load_can_be_started_again_at_once(old: Shell) -> None:
    file = write(old.home, *map(person, range(4)))
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
        leave_running(process.pid)
        assert "is being loaded" in old.refused("legacy", "import", "portail", file)
        process.kill()
    assert rows() == {}
    old.ok("legacy", "import", "portail", file)
    assert len(rows()) == 4


def test_a_load_of_another_machine_is_given_up_after_a_minute(old: Shell) -> None:
    file = write(old.home, person(1))
    leave_running(1, "elsewhere")
    assert "elsewhere:1" in old.refused("legacy", "import", "portail", file)
    with database_only(), transaction():
        db.session.get_one(LegacyLoad, "portail").beat = clock.now() - 2 * loading.GIVEN_UP
    old.ok("legacy", "import", "portail", file)


def leave_running(pid: int, host: str = "") -> None:
    """What a load leaves that is under way."""
    with database_only(), transaction():
        load = loading.begin("portail", "some file")
        row = db.session.get_one(LegacyLoad, "portail")
        row.holder = f"{host or load.holder.rpartition(':')[0]}:{pid}"


def test_whoever_lost_the_load_writes_nothing_more(
    old: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_batch = loading.write

    def robbed(load: loading.Load, batch: object) -> object:
        db.session.get_one(LegacyLoad, "portail").holder = "elsewhere:1"
        db.session.flush()
        return write_batch(load, batch)

    monkeypatch.setattr(loading, "write", robbed)
    file = write(old.home, person(1))
    assert "another process" in old.refused("legacy", "import", "portail", file)
    assert rows() == {}


def test_a_locked_database_stops_the_load_with_one_line_and_it_goes_on(
    old: Shell, monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    if engine != "sqlite":
        pytest.skip("SQLite has one lock for all writers")
    file = write(old.home, *map(person, range(4)))
    holder = sqlite3.connect(old.home / "cli.db", isolation_level=None)
    run = legacy_import._run

    def impatient(*arguments):
        db.session.execute(db.text("PRAGMA busy_timeout = 10"))
        holder.execute("BEGIN IMMEDIATE")
        run(*arguments)

    with contextlib.closing(holder), monkeypatch.context() as patched:
        patched.setattr(legacy_import, "_run", impatient)
        line = old.refused("legacy", "import", "portail", file)
    assert "locked" in line
    assert "run the same command again" in line
    old.ok("legacy", "import", "portail", file)
    assert len(rows()) == 4


def test_ctrl_c_on_a_real_process_loses_nothing(old: Shell) -> None:
    """The signal comes where it comes: in a batch, between two, or while the file is read."""
    file = write(old.home, *map(person, range(30_000)))
    # A shell that runs this in the background lets its children ignore the signal.
    heeds = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    options = ("legacy", "import", "portail", file, "--batch", "50")
    command = [sys.executable, "-c", heeds + START, *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        while not rows() and process.poll() is None:
            pass
        process.send_signal(signal.SIGINT)
        _out, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert b"run the same command again" in said
    done = len(rows())
    assert done % 50 == 0
    result = old.run(*command[3:], "--json")
    assert f"Going on after {done} rows." in result.stderr
    assert counts(result.stdout) == {"created": 30_000}
