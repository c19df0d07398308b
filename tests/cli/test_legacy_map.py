"""Old identifier to sub, for an application that takes its data over."""

import csv
import io
from datetime import timedelta
from pathlib import Path

import pytest

from idp import clock
from idp.audit.models import AuditEvent
from idp.cli.common import application, database_only
from idp.extensions import db, transaction
from idp.legacy import identity as identities
from idp.legacy.identity import LegacyIdentity
from tests.cli.conftest import Shell
from tests.cli.test_users import add
from tests.support.strict import write_strict_store

LAST = (clock.now() + timedelta(days=30)).date().isoformat()
NEW = ("clients", "create", "--name", "Archives", "--redirect-uri", "https://a.example/cb")


@pytest.fixture
def legacy(ready: Shell) -> Shell:
    """A deployment with an old system."""
    ready.set("IDP_LEGACY_SOURCES", str(write_strict_store(ready.home, "password")))
    return ready


@pytest.fixture
def archive(legacy: Shell) -> str:
    options = ("--scope", "openid legacy", "--legacy-source", "portail", "--legacy-until", LAST)
    return str(legacy.json(*NEW, "--id", "archive", *options)["client_id"])


def held(number: int, source: str = "portail") -> list[str]:
    """So many people who have migrated; their subs."""
    subs = [add(f"{source}{one}@example.ch") for one in range(number)]
    with application(), transaction():
        for one in range(number):
            identity = db.session.query(LegacyIdentity).filter_by(key=subs[one]).one()
            identity.source, identity.key = source, str(one)
            identity.identifier = f'old "{one}", é'
    return subs


def table(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


def test_the_map_has_who_migrated_from_its_sources(legacy: Shell, archive: str) -> None:
    subs = held(2)
    held(1, "annuaire")
    with application(), transaction():
        identities.meet("portail", "unclaimed")
    head, *rows = table(legacy.ok("clients", "legacy-map", archive))
    assert head == ["source", "identifier", "key", "sub"]
    assert rows == [["portail", f'old "{n}", é', str(n), subs[n]] for n in (0, 1)]
    with database_only():
        event = db.session.query(AuditEvent).filter_by(event="legacy_map_written").one()
        assert (event.client, event.details["count"]) == (archive, 2)
        assert event.actor.startswith("os:")


def test_a_file_is_its_administrators_alone(legacy: Shell, archive: str, tmp_path: Path) -> None:
    held(1)
    file = tmp_path / "map.csv"
    assert legacy.ok("clients", "legacy-map", archive, "--out", str(file)) == ""
    assert file.stat().st_mode & 0o777 == 0o600
    assert len(table(file.read_text(encoding="utf-8"))) == 2
    assert "cannot write" in legacy.refused(
        "clients", "legacy-map", archive, "--out", str(tmp_path / "no" / "map.csv")
    )


def test_nothing_after_the_last_day_nor_for_others(legacy: Shell, archive: str) -> None:
    legacy.ok(*NEW, "--id", "other")
    assert "may not know" in legacy.refused("clients", "legacy-map", "other")
    assert "not registered" in legacy.refused("clients", "legacy-map", "nobody")
    legacy.ok("clients", "update", archive, "--legacy-until", "2020-01-01")
    assert "since 2020-01-01" in legacy.refused("clients", "legacy-map", archive)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--scope", "openid legacy"), "name the old systems"),
        (("--legacy-source", "portail"), "name the last day"),
        (("--legacy-source", "nowhere", "--legacy-until", LAST), "there are: portail"),
        (("--legacy-source", "invitation", "--legacy-until", LAST), "there are: portail"),
    ],
)
def test_a_registration_names_old_systems_that_are_there_and_a_day(
    legacy: Shell, options: tuple[str, ...], why: str
) -> None:
    assert why in legacy.refused(*NEW, *options)


def test_a_registration_can_lose_it_again(legacy: Shell, archive: str) -> None:
    legacy.ok("clients", "update", archive, "--scope", "openid", "--legacy-source", "")
    assert legacy.json("clients", "show", archive)["legacy_sources"] == []
