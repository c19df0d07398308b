"""The command as an administrator runs it, on a deployment of its own."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from idp.cli.main import main
from tests.cli.copies import SOURCES
from tests.cli.record import leave, moment
from tests.support.inbox import Inbox
from tests.support.postgres import Cluster
from tests.support.strict import write_strict_store


@dataclass
class Shell:
    """Runs `idp …` in this process; variables come from the environment."""

    home: Path
    set: Callable[[str, str], None]

    def run(self, *arguments: str, answer: str = "") -> Result:
        """The result of one command; a traceback is a failed test."""
        result = CliRunner().invoke(main, arguments, prog_name="idp", input=answer)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.output
        return result

    def ok(self, *arguments: str, answer: str = "") -> str:
        """Standard output of a command that must work."""
        result = self.run(*arguments, answer=answer)
        assert result.exit_code == 0, result.output
        return result.stdout

    def json(self, *arguments: str) -> Any:
        """What a read command says to machines."""
        return json.loads(self.ok(*arguments, "--json"))

    def refused(self, *arguments: str, answer: str = "", code: int = 1) -> str:
        """The one line of a command that must fail, and changes nothing on standard output."""
        result = self.run(*arguments, answer=answer)
        assert result.exit_code == code, result.output
        assert len(result.stderr.splitlines()) == 1, result.stderr
        assert result.stderr.startswith("Error: ")
        return result.stderr


def _shell(home: Path, database_url: str, inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.chdir(home)
    values = {
        "DATABASE_URL": database_url,
        "KEK_FILE": str(home / "keys" / "kek.json"),
        "SMTP_PORT": str(inbox.smtp_port),
        "SMTP_SECURITY": "none",
    }
    for name, value in values.items():
        monkeypatch.setenv(f"IDP_{name}", value)
    return Shell(home, monkeypatch.setenv)


def _prepare(shell: Shell) -> None:
    shell.ok("db", "upgrade")
    shell.ok("keys", "create")


@pytest.fixture
def shell(
    cluster: Cluster | None, inbox: Inbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Shell:
    """An empty deployment: not even a database schema."""
    url = cluster.url("cli") if cluster else f"sqlite:///{tmp_path}/cli.db"
    return _shell(tmp_path, url, inbox, monkeypatch)


@pytest.fixture(scope="session")
def prepared(inbox: Inbox, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a deployment with schema and keys, to be copied: making them takes seconds."""
    home = tmp_path_factory.mktemp("prepared")
    with pytest.MonkeyPatch.context() as patch:
        _prepare(_shell(home, f"sqlite:///{home}/cli.db", inbox, patch))
    return home


@pytest.fixture
def ready(shell: Shell, cluster: Cluster | None, prepared: Path) -> Shell:
    """A deployment as the README makes it: schema and keys."""
    if cluster:
        _prepare(shell)
    else:
        shutil.copytree(prepared, shell.home, dirs_exist_ok=True)
    return shell


@pytest.fixture
def busy(ready: Shell) -> Shell:
    """Two people and two clients, over three days."""
    leave(
        {"at": moment("2026-03-01T10:00"), "account": "sub-a", "client": "one"},
        {"at": moment("2026-03-02T10:00"), "account": "sub-b", "client": "two"},
        {"at": moment("2026-03-02T11:00"), "account": "sub-b", "client": "one", "event": "frozen"},
        {"at": moment("2026-03-03T10:00"), "account": "sub-a", "client": "two"},
    )
    return ready


@pytest.fixture
def legacy(ready: Shell) -> Shell:
    """A deployment with an old system."""
    ready.set("IDP_LEGACY_SOURCES", str(write_strict_store(ready.home, "password")))
    return ready


@pytest.fixture
def old(ready: Shell) -> Shell:
    """A deployment with two copies of old systems, both empty."""
    (ready.home / "sources.toml").write_text(SOURCES)
    ready.set("IDP_LEGACY_SOURCES", str(ready.home / "sources.toml"))
    return ready
