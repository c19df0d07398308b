"""A SQL user store: one row, one hash, one answer; on SQLite and on PostgreSQL."""

import hashlib
import time
from datetime import date

import pytest
from sqlalchemy import create_engine, text

from idp.legacy import rows
from idp.legacy.rows import _flag
from idp.legacy.source import Claimed, Match, Mismatch, Unavailable, Unknown, Unsupported
from idp.legacy.sql import SqlOptions, SqlSource
from tests.support.ports import free_port

COLUMNS = {
    "key": "id",
    "password_hash": "pw",
    "given_name": "first",
    "birthdate": "born",
    "locked": "blocked",
    "must_change": "stale",
    "email": "mail",
}
QUERY = "SELECT * FROM people WHERE login = :identifier"


def described(url, **changes):
    return SqlOptions(**{"name": "old", "url": url, "query": QUERY, "columns": COLUMNS} | changes)


def md5(password: str) -> str:
    return hashlib.md5(password.encode()).hexdigest()


def people() -> list[tuple]:
    return [
        (1, "jeanne", md5("secret"), "Jeanne", "1950-03-14", 0, 0, "j@old.example"),
        (2, "locked", md5("secret"), "Luc", None, 1, 0, None),
        (3, "stale", md5("secret"), "Sam", "not a date", 0, 1, None),
        (4, "twin", md5("secret"), "A", None, 0, 0, None),
        (5, "twin", md5("secret"), "B", None, 0, 0, None),
        (6, "odd", "$9$what", "O", None, 0, 0, None),
        (None, "keyless", md5("secret"), "K", None, 0, 0, None),
    ]


@pytest.fixture
def url(cluster, tmp_path):
    address = cluster.url("legacy") if cluster else f"sqlite:///{tmp_path}/old.db"
    engine = create_engine(address)
    with engine.begin() as connection:
        connection.execute(
            text(
                "CREATE TABLE people (id INTEGER, login TEXT, pw TEXT, first TEXT, born TEXT,"
                " blocked INTEGER, stale INTEGER, mail TEXT)"
            )
        )
        for row in people():
            names = dict(zip("abcdefgh", row, strict=True))
            connection.execute(text("INSERT INTO people VALUES (:a,:b,:c,:d,:e,:f,:g,:h)"), names)
    engine.dispose()
    return address


@pytest.fixture
def source(url):
    source = SqlSource(described(url, hash="md5-salted"))
    yield source
    source.close()


def ask(source, identifier, password="secret", claimed=False):
    return source.authenticate(identifier, password, lambda _key: Claimed() if claimed else None)


def test_a_right_password_brings_key_and_profile(source):
    answer = ask(source, "jeanne")
    assert isinstance(answer, Match)
    assert (answer.source, answer.person.key, answer.person.email) == ("old", "1", "j@old.example")
    assert answer.person.profile.given_name == "Jeanne"
    assert answer.person.profile.birthdate == date(1950, 3, 14)
    assert not answer.person.locked


def test_a_wrong_password_is_a_mismatch_also_for_a_locked_row(source):
    assert ask(source, "jeanne", "wrong") == Mismatch()
    assert ask(source, "locked", "wrong") == Mismatch()


def test_locked_and_must_change_are_told_with_the_right_password_only(source):
    assert ask(source, "locked").person.locked
    assert ask(source, "stale").person.must_change
    assert ask(source, "stale").person.profile.birthdate is None


def test_nobody_is_unknown(source):
    assert ask(source, "nobody") == Unknown()


def test_a_claimed_row_is_not_compared(source):
    assert ask(source, "jeanne", claimed=True) == Claimed()
    assert ask(source, "jeanne", "wrong", claimed=True) == Claimed()
    assert ask(source, "odd", claimed=True) == Claimed()


def test_a_doubt_is_nobodys_sign_in(source):
    assert isinstance(ask(source, "twin"), Unsupported)
    assert isinstance(ask(source, "keyless"), Unsupported)


def test_no_text_holds_what_no_database_takes():
    columns = {"key": "k", "identifier": "i", "given_name": "g"}
    row = rows.one_of("old", [rows.read({"k": "1", "i": "a\x00b", "g": b"J\x00"}, columns)])
    assert isinstance(row, rows.Row)
    assert (row.person.identifier, row.person.profile.given_name) == ("ab", "J")
    odd = rows.read({"k": "1\x00"}, columns)
    assert isinstance(rows.one_of("old", [odd]), Unsupported)


def test_a_url_that_is_none_does_not_tell_its_password(tmp_path):
    for url in ("mysql://u:pa:ss@w@host:x/db", "postgresql://u:hunter3"):
        with pytest.raises(ValueError, match="percent-encoded") as error:
            SqlSource(described(url))
        assert "hunter" not in str(error.value)


def test_a_hash_of_no_known_kind_is_told_to_the_operator(url):
    source = SqlSource(described(url, hash="auto"))
    answer = ask(source, "odd")
    source.close()
    assert answer == Unsupported("old", "6", "unrecognised hash")


def test_a_hash_that_is_no_digest_of_the_named_scheme_is_told_to_the_operator(source):
    assert ask(source, "odd") == Unsupported("old", "6", "not a md5-salted hash")


@pytest.mark.parametrize(
    "identifier",
    [
        "' OR '1'='1",
        "jeanne' --",
        "jeanne'; DROP TABLE people; --",
        "%",
        "jeann_",
        "\\",
        "jeanne\x00",
        "\ud800",
        "",
        "x" * 255,
    ],
)
def test_an_identifier_is_never_part_of_the_statement(source, identifier):
    assert ask(source, identifier) == Unknown()
    assert isinstance(ask(source, "jeanne"), Match)


@pytest.mark.parametrize(
    "where",
    [
        "sqlite:////nowhere/at/all.db",
        "postgresql+psycopg://x@127.0.0.1:{port}/x",
    ],
)
def test_a_store_that_is_not_there_is_unavailable_in_time(where):
    options = described(where.format(port=free_port()), timeout=1)
    source = SqlSource(options)
    began = time.monotonic()
    assert ask(source, "jeanne") == Unavailable()
    assert source.problem().startswith("does not answer: ")
    assert time.monotonic() - began < 5
    source.close()


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM gone WHERE x = :identifier",
        "SELEKT * FROM people WHERE login = :identifier",
        "DELETE FROM people WHERE login = :identifier RETURNING *",
    ],
)
def test_a_query_that_cannot_be_is_unavailable_and_the_operator_is_told(url, query):
    source = SqlSource(described(url, query=query))
    assert ask(source, "jeanne") == Unavailable()
    assert source.problem().startswith("does not answer: ")
    source.close()
    sound = SqlSource(described(url, hash="md5-salted"))
    assert isinstance(ask(sound, "jeanne"), Match)
    sound.close()


def test_a_column_that_the_query_does_not_give_is_told_to_the_operator(url):
    source = SqlSource(described(url, columns=COLUMNS | {"key": "ident"}))
    assert source.problem() == "its query gives no column ident (key)"
    source.close()


def test_a_sound_source_has_no_problem(source):
    assert source.problem() is None


def test_a_store_that_is_not_there_is_not_made(tmp_path):
    source = SqlSource(described(f"sqlite:///{tmp_path}/none.db"))
    assert ask(source, "jeanne") == Unavailable()
    assert not (tmp_path / "none.db").exists()
    source.close()


@pytest.mark.parametrize("value", [True, 1, -1, "1", "locked", "X", "oui", b"\x01", b"1", 2.0])
def test_a_flag_in_doubt_is_set(value):
    assert _flag(value)


@pytest.mark.parametrize("value", [None, False, 0, "0", "", " N ", "false", "non", b"\x00", b"0"])
def test_a_flag_that_says_no_is_not_set(value):
    assert not _flag(value)


def test_a_slow_statement_is_given_up(request, cluster, url):
    if cluster is None:
        cluster = request.getfixturevalue("any_cluster")
        url = cluster.url("legacy")
    slow = "SELECT *, pg_sleep(5) FROM people WHERE login = :identifier"
    source = SqlSource(described(url, query=slow, timeout=0.5))
    began = time.monotonic()
    assert ask(source, "jeanne") == Unavailable()
    assert time.monotonic() - began < 3
    source.close()
