"""What serves until it is stopped, as real processes."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import requests

from idp import clock
from idp.cli.common import application
from idp.delivery import outbox
from idp.extensions import transaction
from idp.keys import kek
from tests.cli.conftest import Shell
from tests.support.inbox import Inbox
from tests.support.messages import code_message
from tests.support.ports import free_port, wait_for

ROOT = Path(__file__).parents[2]
START = "import sys; sys.argv[0] = 'idp'; from idp.cli.main import main; main()"


@contextmanager
def started(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", START, *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def stop(process: subprocess.Popen[str], number: signal.Signals) -> str:
    """Standard error of a process that ends well when it is told to."""
    process.send_signal(number)
    _out, said = process.communicate(timeout=20)
    assert process.returncode == 0, said
    return said


def test_run_serves_and_logs_json_lines_only(ready: Shell) -> None:
    port = free_port()
    ready.set("IDP_ISSUER", f"http://localhost:{port}")
    with started("run", "--port", str(port), "--workers", "2", "--threads", "2") as process:
        wait_for(port)
        answer = requests.get(
            f"http://localhost:{port}/.well-known/openid-configuration", timeout=10
        )
        assert answer.json()["issuer"] == f"http://localhost:{port}"
        lines = stop(process, signal.SIGTERM).splitlines()
    assert lines
    assert all(json.loads(line)["level"] == "info" for line in lines)


@pytest.mark.parametrize(
    ("option", "lines"),
    [
        ("external", [("info", "worker_started")]),
        ("inline", [("info", "worker_started"), ("warning", "worker_beside_inline")]),
    ],
)
def test_worker_says_that_it_runs_and_that_others_deliver_too(
    ready: Shell, option: str, lines: list[tuple[str, str]]
) -> None:
    ready.set("IDP_WORKER", option)
    with started("worker") as process:
        assert process.stderr
        said = [json.loads(process.stderr.readline()) for _line in lines]
        assert stop(process, signal.SIGTERM) == ""
    assert [(line["level"], line["event"]) for line in said] == lines


@pytest.mark.parametrize("command", ["run", "worker"])
def test_nothing_serves_on_a_schema_that_is_behind(shell: Shell, command: str) -> None:
    kek.create(shell.home / "keys" / "kek.json")
    said = shell.refused(command)
    assert said == "Error: the schema is behind: run `idp db upgrade`\n"


@pytest.mark.parametrize("command", ["run", "worker"])
def test_nothing_serves_without_its_database(ready: Shell, command: str) -> None:
    ready.set("IDP_DATABASE_URL", "sqlite:////nowhere/at/all.db")
    said = ready.refused(command)
    assert "/nowhere/at/all.db cannot be reached" in said
    assert "IDP_DATABASE_URL" in said


def test_worker_delivers_and_ends_when_it_is_told_to(ready: Shell, inbox: Inbox) -> None:
    inbox.clear()
    ready.set("IDP_WORKER", "external")
    message = code_message("jeanne@example.ch")
    with application(), transaction():
        outbox.enqueue(message, expires_at=clock.now() + timedelta(minutes=5), masked="j•••")
    with started("worker") as process:
        assert process.stderr
        assert json.loads(process.stderr.readline())["event"] == "worker_started"
        line = json.loads(process.stderr.readline())
        assert (line["event"], line["outcome"]) == ("message", "sent")
        stop(process, signal.SIGTERM)
    assert [received.to for received in inbox.messages] == ["jeanne@example.ch"]
