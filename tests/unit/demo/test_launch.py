"""The demonstration as a whole: starts, survives, refuses clearly."""

import json
import socket
import sqlite3
from collections import Counter

import pytest
import requests

from idp.demo import launch, legacy_store
from idp.demo.launch import Options
from idp.errors import ConfigurationError
from tests.support.ports import free_port
from tests.support.surfer import Surfer


def options(tmp_path, **changes):
    ports = {
        name: free_port()
        for name in ("port", "portal_port", "archive_port", "inbox_port", "smtp_port")
    }
    return Options(**{**ports, "state": tmp_path / "demo", **changes})


def test_one_person_walks_from_the_portal_and_back_and_state_survives(tmp_path):
    where = options(tmp_path)
    with launch.serving(where) as state:
        demo = json.loads(state.summary.read_text())
        assert set(demo) == {"issuer", "portal", "archive", "inbox", "client", "legacy_users"}
        assert set(demo["client"]) == {"client_id", "client_secret", "redirect_uris"}
        user = demo["legacy_users"][0]
        person = Surfer(demo["inbox"]).get(f"{demo['portal']}/login")
        person.migrate(user["identifier"], user["password"], "moi@example.ch")
        person.press("Se connecter à e-services").two_factors("moi@example.ch")
        assert f"Bonjour {user['first_name']}" in person.page.text
        assert person.get(f"{demo['portal']}/logout").url == f"{demo['portal']}/"
        assert "Bonjour" not in person.page.text
        assert "Vous êtes déconnecté" in person.page.text
        assert "Vous êtes déconnecté" not in person.get(demo["portal"]).page.text
        assert person.get(f"{demo['portal']}/login").step == "sign-in"
    with launch.serving(where) as state:
        again = json.loads(state.summary.read_text())
        assert again["client"] == demo["client"]
        person = Surfer(demo["inbox"]).get(f"{demo['portal']}/login")
        person.two_factors("moi@example.ch")
        assert f"Bonjour {user['first_name']}" in person.page.text


def test_an_application_of_others_asks_and_remembers(tmp_path):
    where = options(tmp_path)
    with launch.serving(where) as state:
        demo = json.loads(state.summary.read_text())
        user = demo["legacy_users"][0]
        person = Surfer(demo["inbox"]).get(f"{demo['archive']}/login")
        person.migrate(user["identifier"], user["password"], "moi@example.ch")
        person.press("Se connecter à Archives cantonales").two_factors("moi@example.ch")
        assert person.step == "consent"
        assert f'href="{demo["archive"]}/privacy"' in person.page.source
        person.press("Donner l’accès")
        assert f"Bonjour {user['first_name']}" in person.page.text
        assert "garde ce que vous" in person.get(f"{demo['archive']}/privacy").page.text
        person.get(f"{demo['portal']}/login")
        assert person.url == f"{demo['portal']}/", "the house asks for nothing"
    with launch.serving(where):
        person.get(f"{demo['archive']}/login")
        assert person.url == f"{demo['archive']}/", "nothing is asked twice"


def test_reset_forgets_everything(tmp_path):
    where = options(tmp_path)
    with launch.serving(where) as state:
        before = json.loads(state.summary.read_text())["client"]
    with launch.serving(Options(**{**vars(where), "reset": True})) as state:
        assert json.loads(state.summary.read_text())["client"] != before


def test_a_folder_serves_one_demonstration_at_a_time(tmp_path):
    where = options(tmp_path)
    with launch.serving(where) as state:
        before = state.summary.read_text()
        for reset in (False, True):
            second = options(tmp_path, reset=reset)
            with pytest.raises(ConfigurationError, match="already runs in") as caught:
                launch.serving(second).__enter__()
            assert str(where.state) in str(caught.value)
        assert state.summary.read_text() == before


def test_variables_of_the_shell_are_another_deployments(tmp_path, monkeypatch):
    monkeypatch.setenv("IDP_ISSUER", "https://login.example.org")
    monkeypatch.setenv("IDP_SMTP_HOST", "mail.example.org")
    monkeypatch.setenv("IDP_CODE_TRIES", "nonsense")
    where = options(tmp_path)
    with launch.serving(where):
        found = requests.get(
            f"{where.urls['issuer']}/.well-known/openid-configuration", timeout=10
        ).json()
        assert found["issuer"] == where.urls["issuer"]


@pytest.mark.parametrize(
    "which", ["port", "portal_port", "archive_port", "inbox_port", "smtp_port"]
)
def test_a_busy_port_is_one_clear_line(tmp_path, which):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        where = options(tmp_path, **{which: taken.getsockname()[1]})
        with pytest.raises(ConfigurationError, match="busy") as caught, launch.serving(where):
            pass
    assert str(getattr(where, which)) in str(caught.value)


def test_busy_ports_are_named_together_and_nothing_is_forgotten(tmp_path):
    where = options(tmp_path)
    with launch.serving(where) as state:
        before = state.summary.read_text()
    with (
        socket.create_server(("127.0.0.1", where.port)),
        socket.create_server(("127.0.0.1", where.smtp_port)),
        pytest.raises(ConfigurationError) as caught,
        launch.serving(Options(**{**vars(where), "reset": True})),
    ):
        pass
    for port, flag in ((where.port, "--port"), (where.smtp_port, "--smtp-port")):
        assert f"{port} ({flag}: busy)" in str(caught.value)
    assert state.summary.read_text() == before


@pytest.mark.parametrize("name", ["file", "file/demo"])
def test_a_folder_that_cannot_be_written_is_one_clear_line(tmp_path, name):
    (tmp_path / "file").write_text("in the way")
    where = options(tmp_path, state=tmp_path / name)
    with pytest.raises(ConfigurationError, match="cannot write") as caught, launch.serving(where):
        pass
    assert str(caught.value).endswith("choose another with --state")


def test_somebody_elses_folder_is_neither_used_nor_removed(tmp_path):
    (tmp_path / "precious").write_text("mine")
    for reset in (False, True):
        where = options(tmp_path, state=tmp_path, reset=reset)
        with pytest.raises(ConfigurationError), launch.serving(where):
            pass
    assert (tmp_path / "precious").read_text() == "mine"


def test_secrets_are_for_their_owner_only(tmp_path):
    with launch.serving(options(tmp_path)) as state:
        for name in ("demo.json", "secrets.json", "kek.json"):
            assert (state.folder / name).stat().st_mode & 0o077 == 0


def test_the_old_store_mixes_three_kinds_of_hash_and_some_are_locked(tmp_path):
    legacy_store.seed(tmp_path / "old.db")
    with sqlite3.connect(tmp_path / "old.db") as connection:
        rows = connection.execute("SELECT password_hash, hash_salt, locked FROM users").fetchall()
    connection.close()
    kinds = Counter(row[0][:3] if row[1] is None else "md5" for row in rows)
    assert kinds == {"$2b": 8, "$6$": 8, "md5": 8}
    assert sum(row[2] for row in rows) == 2
