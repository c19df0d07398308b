"""An old store in MariaDB: what is different there."""

import time

import pytest
from sqlalchemy import create_engine, text

from idp.legacy.source import Match, Mismatch, Unavailable, Unknown, Unsupported
from idp.legacy.sql import SqlOptions, SqlSource

PASSWORD = "hashcat"
DIGEST = "8743b52063cd84097a65d1633f5c74f5"
COLUMNS = {"key": "id", "identifier": "login", "password_hash": "pw"}
QUERY = "SELECT * FROM people WHERE login = :identifier"


@pytest.fixture(scope="module")
def url(any_mariadb):
    url = any_mariadb.url("legacy")
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE people (id INT, login VARCHAR(80), pw CHAR(32))"))
        for key, login in enumerate(("jeanne", "zoé", "twin", "TWIN"), start=1):
            values = {"key": key, "login": login, "pw": DIGEST}
            connection.execute(text("INSERT INTO people VALUES (:key, :login, :pw)"), values)
    engine.dispose()
    return url


@pytest.fixture
def source(url):
    source = SqlSource(described(url))
    yield source
    source.close()


def described(url, **changes):
    values = {"name": "old", "url": url, "query": QUERY, "columns": COLUMNS, "hash": "hex_md5"}
    return SqlOptions(**values | changes)


def ask(source, identifier, password=PASSWORD):
    return source.authenticate(identifier, password, lambda _key: None)


def test_right_wrong_and_nobody(source):
    assert isinstance(ask(source, "jeanne"), Match)
    assert ask(source, "jeanne", "wrong") == Mismatch()
    assert ask(source, "nobody") == Unknown()
    assert source.problem() is None


@pytest.mark.parametrize("spelt", ["JEANNE", "jeanné", "jeanne ", "Zoe"])
def test_spellings_that_it_takes_for_one_are_one_row(source, spelt):
    """The key is what is claimed and counted; the store's own spelling comes with it."""
    person = ask(source, spelt).person
    assert (person.key, person.identifier) in {("1", "jeanne"), ("2", "zoé")}


def test_two_rows_that_it_takes_for_one_are_nobodys_sign_in(source):
    assert isinstance(ask(source, "twin"), Unsupported)


@pytest.mark.parametrize(
    "identifier", ["' OR '1'='1", "jeanne' -- ", "jeanne\\", "jeanne'; DROP TABLE people; -- ", "%"]
)
def test_an_identifier_is_never_part_of_the_statement(source, identifier):
    assert ask(source, identifier) == Unknown()
    assert isinstance(ask(source, "jeanne"), Match)


@pytest.mark.parametrize("statement", ["DELETE FROM people", "UPDATE people SET pw = ''"])
def test_nothing_can_be_written(url, statement):
    writing = SqlSource(described(url, query=f"{statement} WHERE login = :identifier"))
    assert ask(writing, "jeanne") == Unavailable()
    writing.close()
    reading = SqlSource(described(url))
    assert isinstance(ask(reading, "jeanne"), Match)
    reading.close()


def test_a_slow_statement_is_given_up(url):
    slow = "SELECT *, SLEEP(5) FROM people WHERE login = :identifier"
    source = SqlSource(described(url, query=slow, timeout=0.5))
    began = time.monotonic()
    assert ask(source, "jeanne") == Unavailable()
    assert time.monotonic() - began < 3
    source.close()
