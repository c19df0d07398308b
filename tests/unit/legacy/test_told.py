"""An old SQL store is told who has migrated: on SQLite, PostgreSQL and MariaDB."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from idp.legacy.imported import ImportedOptions
from idp.legacy.registry import read
from idp.legacy.source import Migrated, NotTakenError, Unavailable, informed
from tests.support import old_store
from tests.support.ports import free_port

AT = datetime(2026, 11, 26, 16, 4, 47, tzinfo=UTC)
JEANNE = Migrated("1", "p1", "the-sub", AT)


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def url(request, tmp_path):
    server = {"postgresql": "any_cluster", "mariadb": "any_mariadb"}.get(request.param)
    address = request.getfixturevalue(server).url("old") if server else f"sqlite:///{tmp_path}/o.db"
    old_store.make(address)
    return address


def rows(url):
    return {row["id"]: row for row in old_store.run(url, "SELECT * FROM people")}


def tell(url, migrated=JEANNE, **changes):
    source = old_store.described(url, **changes)
    try:
        source.tell(migrated)
    finally:
        source.close()


def test_the_row_is_closed_and_told_whose_it_is(url):
    tell(url)
    assert (rows(url)[1]["blocked"], rows(url)[1]["sub"]) == (1, "the-sub")
    assert str(rows(url)[1]["moved"]).startswith("2026-11-26 16:04:47")
    assert rows(url)[2]["blocked"] == 0


def test_telling_it_again_does_no_harm(url):
    tell(url)
    tell(url)
    assert rows(url)[1]["blocked"] == 1


def test_what_is_told_stays_data(url):
    hostile = "p1' OR '1'='1"
    statement = "UPDATE people SET blocked = 1, sub = :sub WHERE login = :identifier"
    with pytest.raises(NotTakenError, match="changed no row"):
        tell(url, Migrated("1", hostile, "x'; DROP TABLE people; --", AT), on_migrated=statement)
    tell(url, Migrated("1", "p1", "x'; DROP TABLE people; --", AT), on_migrated=statement)
    assert rows(url)[1]["sub"] == "x'; DROP TABLE people; --"
    assert rows(url)[2]["blocked"] == 0


def test_a_statement_that_meets_several_rows_changes_none(url):
    with pytest.raises(NotTakenError, match="several"):
        tell(url, on_migrated="UPDATE people SET blocked = 1 WHERE id >= :key")
    assert not any(row["blocked"] for row in rows(url).values())


@pytest.mark.parametrize("statement", ["UPDATE nothing SET a = 1 WHERE id = :key", "not SQL :key"])
def test_a_statement_that_fails_says_so_in_a_word(url, statement):
    with pytest.raises(NotTakenError) as refused:
        tell(url, on_migrated=statement)
    assert str(refused.value).endswith("Error")


def test_reading_stays_reading_beside_it(url):
    deleting = "DELETE FROM people WHERE login = :identifier RETURNING *"
    source = old_store.described(url, query=deleting)
    assert source.find("p2") == Unavailable()
    source.close()
    assert 2 in rows(url)


def test_a_store_that_is_gone_is_not_taken():
    url = f"postgresql+psycopg://x@127.0.0.1:{free_port()}/x"
    with pytest.raises(NotTakenError):
        tell(url, timeout=1)


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("UPDATE people SET blocked = 1", "name its row"),
        ("UPDATE people SET blocked = 1 WHERE id = :key AND pw = :password", "knows only"),
    ],
)
def test_a_statement_names_its_row_and_nothing_that_is_not_told(statement, why):
    with pytest.raises(ValueError, match=why):
        old_store.described("sqlite:///x.db", on_migrated=statement)


def test_who_says_nothing_is_told_nothing(tmp_path):
    assert informed(old_store.described("sqlite:///x.db", on_migrated=None)) is None
    assert "on_migrated" not in ImportedOptions.model_fields
    file = Path(tmp_path, "sources.toml")
    file.write_text('[[source]]\nname = "copy"\ntype = "imported"\non_migrated = "x :key"\n')
    with pytest.raises(Exception, match="unknown option on_migrated"):
        read(file)
