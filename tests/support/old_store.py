"""An old store in any SQL engine that can be told who has migrated, and a source that describes it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from sqlalchemy import create_engine, text

from idp.legacy.registry import Sources
from idp.legacy.source import LegacySource
from idp.legacy.sql import SqlOptions, SqlSource

CLOSE = "UPDATE people SET blocked = 1, sub = :sub, moved = :migrated_at WHERE id = :key"
_MAKE = """CREATE TABLE people (id INTEGER PRIMARY KEY, login VARCHAR(80), pw VARCHAR(80),
blocked INTEGER NOT NULL DEFAULT 0, sub VARCHAR(43), moved TIMESTAMP NULL)"""


def make(url: str, number: int = 3) -> None:
    """So many people: 1 is p1, and so on."""
    run(url, _MAKE)
    for one in range(1, number + 1):
        run(
            url,
            "INSERT INTO people (id, login, pw) VALUES (:id, :login, 'x')",
            id=one,
            login=f"p{one}",
        )


def run(url: str, statement: str, **values: object) -> list[dict[str, Any]]:
    """One statement over a connection of one's own; its rows."""
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            found = connection.execute(text(statement), values)
            return [dict(row) for row in found.mappings()] if found.returns_rows else []
    finally:
        engine.dispose()


def described(url: str, **changes: object) -> SqlSource:
    """The source `old`."""
    values: dict[str, object] = {
        "name": "old",
        "url": url,
        "query": "SELECT * FROM people WHERE login = :identifier",
        "list": "SELECT * FROM people",
        "columns": {
            "key": "id",
            "identifier": "login",
            "password_hash": "pw",
            "locked": "blocked",
        },
        "hash": "hex_md5",
        "on_migrated": CLOSE,
        "timeout": 2,
    }
    return SqlSource(SqlOptions(**values | changes))


@contextmanager
def sources(app: Flask, *known: LegacySource) -> Iterator[None]:
    """Run with these old systems for a while."""
    before = app.extensions["seuil.legacy"]
    app.extensions["seuil.legacy"] = Sources(list(known))
    try:
        yield
    finally:
        app.extensions["seuil.legacy"] = before
