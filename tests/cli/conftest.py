"""The command as an administrator runs it, on a deployment of its own."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from idp.cli.main import main
from tests.support.inbox import Inbox
from tests.support.postgres import Cluster


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


@pytest.fixture
def shell(
    cluster: Cluster | None, inbox: Inbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Shell:
    """An empty deployment: not even a database schema."""
    monkeypatch.chdir(tmp_path)
    values = {
        "DATABASE_URL": cluster.url("cli") if cluster else f"sqlite:///{tmp_path}/cli.db",
        "KEK_FILE": str(tmp_path / "keys" / "kek.json"),
        "SMTP_PORT": str(inbox.smtp_port),
        "SMTP_SECURITY": "none",
    }
    for name, value in values.items():
        monkeypatch.setenv(f"IDP_{name}", value)
    return Shell(tmp_path, monkeypatch.setenv)


@pytest.fixture
def ready(shell: Shell) -> Shell:
    """A deployment as the README makes it: schema and keys."""
    shell.ok("db", "upgrade")
    shell.ok("keys", "create")
    return shell
