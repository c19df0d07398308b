"""The first minutes of a deployment: schema, keys, and what a wrong option says."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from idp.cli.common import database_only
from idp.extensions import db, transaction
from tests.cli.conftest import Shell

ROOT = Path(__file__).parents[2]


def test_the_schema_comes_before_any_key_and_again_is_harmless(shell: Shell) -> None:
    assert shell.ok("db", "upgrade") == shell.ok("db", "upgrade")


def test_the_schema_of_an_unreachable_database_is_no_reason_to_run_the_same_again(
    shell: Shell,
) -> None:
    shell.set("IDP_DATABASE_URL", "sqlite:////nowhere/at/all.db")
    assert "db upgrade" not in shell.refused("db", "upgrade")


def test_db_current_tells_the_revisions_of_database_and_code(shell: Shell) -> None:
    before = shell.json("db", "current")
    assert (before["database"], before["current"]) == (None, False)
    shell.ok("db", "upgrade")
    after = shell.json("db", "current")
    assert after["database"] == after["code"] == before["code"]
    assert after["current"] is True
    assert str(shell.home) in after["where"] or "postgresql" in after["where"]
    assert after["code"] in shell.ok("db", "current")


def test_a_schema_of_a_newer_version_is_left_alone(ready: Shell) -> None:
    with database_only(), transaction():
        db.session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert ready.json("db", "current")["ahead"] is True
    for command in (("db", "upgrade"), ("users", "list"), ("run",)):
        assert "(9999) is newer than this version" in ready.refused(*command)


def test_keys_create_makes_both_kinds_of_key(shell: Shell) -> None:
    shell.ok("db", "upgrade")
    said = shell.ok("keys", "create")
    assert "back it up" in said
    path = shell.home / "keys" / "kek.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    made = shell.json("keys", "list")
    assert {(key["alg"], key["state"]) for key in made} == {
        ("RS256", "signing"),
        ("ES256", "signing"),
    }


def test_keys_create_again_makes_nothing(ready: Shell) -> None:
    before = ready.json("keys", "list")
    assert "Every usual algorithm has a key" in ready.ok("keys", "create")
    assert ready.json("keys", "list") == before


def test_a_further_key_is_announced(ready: Shell) -> None:
    ready.ok("keys", "create", "--alg", "ES256")
    states = [key["state"] for key in ready.json("keys", "list") if key["alg"] == "ES256"]
    assert sorted(states) == ["announced", "signing"]


def test_no_private_member_is_ever_listed(ready: Shell) -> None:
    for listed in (ready.ok("keys", "list"), ready.ok("keys", "list", "--json")):
        assert "private" not in listed
        assert '"d"' not in listed


def test_rotate_makes_a_key_and_keeps_the_former_published(ready: Shell) -> None:
    assert "signs from" in ready.ok("keys", "rotate", "--alg", "RS256")
    states = [key["state"] for key in ready.json("keys", "list") if key["alg"] == "RS256"]
    assert len(states) == 2
    assert "retired" not in states


def test_rotate_replaces_the_key_of_every_algorithm(ready: Shell) -> None:
    assert len(ready.ok("keys", "rotate").splitlines()) == 2
    states = [(key["alg"], key["state"]) for key in ready.json("keys", "list")]
    assert len(states) == 4
    assert {alg for alg, state in states if state == "announced"} == {"RS256", "ES256"}


def test_a_kid_stays_in_one_piece_on_a_narrow_terminal(
    ready: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for terminal in ("", "1"):
        monkeypatch.setenv("FORCE_COLOR", terminal)
        monkeypatch.setenv("TTY_COMPATIBLE", terminal or "0")
        lines = ready.ok("keys", "list").splitlines()
        for key in ready.json("keys", "list"):
            (line,) = [line for line in lines if key["kid"] in line]
            assert line.count("Z ") == 3, "its three moments stand on the same line"


def test_retire_asks_first_and_says_that_nothing_signs(ready: Shell) -> None:
    kid = ready.json("keys", "list")[0]["kid"]
    assert "Aborted" in ready.run("keys", "retire", kid, answer="n\n").stderr
    assert ready.json("keys", "list")[0]["state"] == "signing"
    result = ready.run("keys", "retire", kid, "--yes")
    assert result.exit_code == 0
    assert "Nothing signs" in result.stderr
    assert ready.json("keys", "list")[0]["state"] == "retired"


def test_an_unknown_kid_is_one_line(ready: Shell) -> None:
    assert "idp keys list" in ready.refused("keys", "retire", "nobody")


def test_a_missing_schema_is_one_line_that_names_the_command(shell: Shell) -> None:
    assert "idp db upgrade" in shell.refused("users", "list")


def test_a_missing_key_is_one_line_that_names_the_command(shell: Shell) -> None:
    shell.ok("db", "upgrade")
    assert "idp keys create" in shell.refused("keys", "rotate", "--alg", "ES256")
    assert "idp keys create" in shell.refused("run")
    assert "idp keys create" in shell.refused("worker")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("IDP_ISSUER", "http://login.example.org", "use https"),
        ("IDP_ISSUER", "https://login.example.org/", "trailing slash"),
        ("IDP_CODE_DIGITS", "99", "less than or equal to 10"),
        ("IDP_RESEND_AFTER", "soon", "PT30S"),
        ("IDP_DATABASE_URL", "foo", "IDP_DATABASE_URL"),
        ("IDP_DATABASE_URL", "foo:///x", "IDP_DATABASE_URL"),
        ("IDP_DATABASE_URL", "postgresql://host:x/y", "IDP_DATABASE_URL"),
        ("IDP_DATABASE_URL", "mssql+pyodbc://host/x", "IDP_DATABASE_URL"),
        ("IDP_DATABASE_URL", "sqlite:////nowhere/at/all.db", "unable to open"),
        ("IDP_ENV_FILE", "/nowhere.env", "there is no file"),
    ],
)
def test_a_wrong_option_is_one_line_that_names_it(
    shell: Shell, name: str, value: str, said: str
) -> None:
    shell.set(name, value)
    line = shell.refused("users", "list")
    assert name in line
    assert said in line


def test_a_file_of_variables_may_hold_those_of_others(tmp_path: Path) -> None:
    """Secrets that legacy.toml names stand in the same file; what looks like ours must be ours."""
    start = "from idp.cli.common import load_settings; print(load_settings().code_tries)"
    for line, said in (("OLD_PORTAL_URL=x", "4\n"), ("IDP_CODE_TRIS=3", "")):
        (tmp_path / "seuil.env").write_text(f"IDP_CODE_TRIES=4\n{line}\n")
        done = subprocess.run(
            [sys.executable, "-c", start],
            env={"IDP_ENV_FILE": str(tmp_path / "seuil.env"), "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout == said, done.stderr


def test_each_wrong_option_has_its_line(shell: Shell) -> None:
    shell.set("IDP_ISSUER", "x")
    shell.set("IDP_CODE_TRIES", "0")
    lines = shell.run("users", "list").stderr.splitlines()
    assert [line.split(":")[1].strip() for line in lines] == ["IDP_ISSUER", "IDP_CODE_TRIES"]


@pytest.mark.parametrize(
    "arguments", [["nothing"], ["clients", "create", "--bogus"], ["run", "--port", "x"]]
)
def test_wrong_usage_is_one_line_and_exit_code_2(shell: Shell, arguments: list[str]) -> None:
    assert "--help" in shell.refused(*arguments, code=2)


def test_what_is_missing_is_a_sentence_before_the_next(shell: Shell) -> None:
    said = shell.refused("completion", code=2)
    assert "bash, zsh, fish. See `idp completion --help`." in said


def test_purge_needs_no_key(shell: Shell) -> None:
    shell.ok("db", "upgrade")
    assert set(shell.json("purge").values()) == {0}


def test_a_busy_port_is_one_line(ready: Shell) -> None:
    busy = os.environ["IDP_SMTP_PORT"]
    assert "cannot listen on 127.0.0.1" in ready.refused("run", "--port", busy)


def test_help_names_every_option_whole_on_a_narrow_terminal(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for command in ("create", "update"):
        said = shell.ok("clients", command, "--help")
        assert "--userinfo-encrypted-response-alg" in said
        assert "…" not in said
    assert "--require-dpop/--no-require-dpop" in said


def test_help_needs_no_settings(shell: Shell) -> None:
    shell.set("IDP_ISSUER", "x")
    said = shell.ok("--help")
    for command in (
        "db",
        "keys",
        "clients",
        "users",
        "outbox",
        "purge",
        "check",
        "run",
        "worker",
        "demo",
    ):
        assert f" {command} " in said


@pytest.mark.parametrize(
    ("shell_name", "mark"), [("bash", "complete"), ("zsh", "#compdef"), ("fish", "complete")]
)
def test_completion_scripts_are_written_for_each_shell(
    shell: Shell, shell_name: str, mark: str
) -> None:
    said = shell.ok("completion", shell_name)
    assert mark in said
    assert "_IDP_COMPLETE" in said


def test_completion_offers_the_commands() -> None:
    start = "import sys; sys.argv[0] = 'idp'; from idp.cli.main import main; main()"
    variables = {"_IDP_COMPLETE": "bash_complete", "COMP_WORDS": "idp keys ro", "COMP_CWORD": "2"}
    done = subprocess.run(
        [sys.executable, "-c", start],
        env={**os.environ, **variables, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "plain,rotate\n"


def test_a_name_that_begins_with_a_dash_is_a_name(ready: Shell) -> None:
    assert "-abc" in ready.refused("keys", "retire", "-abc", "--yes")
    assert "-abc" in ready.refused("users", "show", "-abc")


def test_a_relative_sqlite_file_is_in_the_working_directory(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell.set("IDP_DATABASE_URL", "sqlite:///here.db")
    (shell.home / "elsewhere").mkdir()
    monkeypatch.chdir(shell.home / "elsewhere")
    shell.ok("db", "upgrade")
    assert (shell.home / "elsewhere" / "here.db").exists()
