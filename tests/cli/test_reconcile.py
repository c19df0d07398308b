"""Both sides compared, at the terminal; what the campaign and the check say of old doors."""

from datetime import timedelta

import pytest

from idp import clock
from idp.cli.common import application
from idp.extensions import db, transaction
from idp.legacy import identity as identities
from idp.legacy.identity import LegacyIdentity
from tests.cli.conftest import Shell
from tests.cli.test_users import add
from tests.support import old_store

SOURCE = """
[[source]]
name = "old"
type = "sql"
url = "sqlite:///{file}"
query = "SELECT * FROM people WHERE login = :identifier"
list = "SELECT * FROM people"
hash = "hex_md5"
on_migrated = "{close}"
columns = {{ key = "id", identifier = "login", password_hash = "pw", locked = "blocked" }}

[[source]]
name = "copy"
type = "imported"
"""


@pytest.fixture
def url(ready: Shell) -> str:
    """An old system with three people, of whom the first two have migrated; the second is locked there."""
    file = ready.home / "old.db"
    address = f"sqlite:///{file}"
    old_store.make(address)
    old_store.run(address, "UPDATE people SET blocked = 1 WHERE id = 2")
    sources = ready.home / "sources.toml"
    sources.write_text(SOURCE.format(file=file, close=old_store.CLOSE))
    ready.set("IDP_LEGACY_SOURCES", str(sources))
    add("jeanne@example.ch")
    with application(), transaction():
        for key in ("1", "2"):
            identities.claim(identities.meet("old", key, f"p{key}").id, 1)
    return address


def test_whoever_is_let_in_over_there_is_named_and_told_again(ready: Shell, url: str) -> None:
    result = ready.run("legacy", "reconcile", "old")
    assert result.exit_code == 1
    assert "still open: old:1" in result.stdout
    assert ready.run("legacy", "reconcile", "--json").exit_code == 1
    result = ready.run("legacy", "reconcile", "old", "--retry", "--json")
    assert '"to_tell": 1' in result.stdout
    old_store.run(url, "UPDATE people SET blocked = 1")
    (row,) = ready.json("legacy", "reconcile")
    assert (row["migrated"], row["closed"], row["open"], row["gone"]) == (2, 2, 0, 0)
    assert row["examples"] == []


@pytest.mark.usefixtures("url")
def test_what_has_no_door_or_cannot_be_told_is_one_line(ready: Shell) -> None:
    assert "copies have no door" in ready.refused("legacy", "reconcile", "copy")
    assert "no source is called" in ready.refused("legacy", "reconcile", "nowhere")
    file = ready.home / "sources.toml"
    file.write_text(file.read_text().replace("on_migrated", "# on_migrated"))
    assert "cannot be told" in ready.refused("legacy", "reconcile", "old", "--retry")
    file.write_text(file.read_text().replace('FROM people"\nhash', 'FROM nowhere"\nhash'))
    assert "cannot be listed" in ready.refused("legacy", "reconcile", "old")


@pytest.mark.usefixtures("url")
def test_the_campaign_counts_doors_that_are_not_known_to_be_closed(ready: Shell) -> None:
    def counted() -> dict[str, object]:
        report = ready.json("campaign", "status")
        found = {part["source"]: part["open_doors"] for part in report["sources"]}
        return {**found, "whole": report["whole"]["open_doors"]}

    assert (counted()["old"], counted()["whole"]) == (2, 2)
    assert counted().get("copy") is None
    ready.run("legacy", "reconcile")
    assert counted()["old"] == 1
    page, figures = ready.home / "page.html", ready.home / "figures.prom"
    ready.ok("campaign", "status", "--html", str(page), "--prometheus", str(figures))
    assert "Anciennes portes ouvertes" in page.read_text()
    assert 'seuil_campaign_open_doors{source="old"} 1' in figures.read_text()


@pytest.mark.usefixtures("url")
def test_a_call_that_nobody_takes_for_a_day_is_a_warning(ready: Shell) -> None:
    def warned() -> list[str]:
        findings = ready.json("check")
        return [one["message"] for one in findings if "could not be told" in one["message"]]

    assert warned() == []
    with application(), transaction():
        identity = db.session.query(LegacyIdentity).filter_by(key="1", source="old").one()
        identity.call_due_at, identity.call_error = clock.now(), "changed no row"
        identity.call_since = clock.now() - timedelta(days=1, minutes=1)
    (message,) = warned()
    assert "1 people" in message
    assert "changed no row" in message
