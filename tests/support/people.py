"""An old user store for tests: a SQLite file with a handful of people."""

import hashlib
import sqlite3
from pathlib import Path

PASSWORD = "Edelweiss-1291"

_SCHEMA = """CREATE TABLE users (id INTEGER PRIMARY KEY, login TEXT, password TEXT, salt TEXT,
first_name TEXT, last_name TEXT, birth_date TEXT, street TEXT, zip TEXT, city TEXT, phone TEXT,
locked INTEGER DEFAULT 0, must_change INTEGER DEFAULT 0)"""

_SOURCE = """
[[source]]
name = "portail"
type = "sql"
at_once = 8
url = "sqlite:///{file}"
query = "SELECT *, 'md5-salted' AS scheme FROM users WHERE login = :identifier"
[source.columns]
key = "id"
password_hash = "password"
given_name = "first_name"
family_name = "last_name"
birthdate = "birth_date"
street_address = "street"
postal_code = "zip"
locality = "city"
"""

PEOPLE = ("jeanne", "paul", "rosa", "luc", "anna")
LOCKED = "bloque"
MUST_CHANGE = "perime"


def write_store(folder: Path) -> Path:
    """Make the store and the file that names it; the file's path."""
    store = folder / "portail.db"
    with sqlite3.connect(store) as connection:
        connection.execute(_SCHEMA)
        for number, login in enumerate((*PEOPLE, LOCKED, MUST_CHANGE), start=1):
            salt = f"s{number}"
            digest = hashlib.md5((salt + PASSWORD).encode()).hexdigest()
            connection.execute(
                "INSERT INTO users VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
                (
                    *(number, login, digest, salt, login.title(), "Favre", "1950-03-14"),
                    *("Rue du Lac 1", "1800", "Vevey", "079 123 45 67"),
                    *(login == LOCKED, login == MUST_CHANGE),
                ),
            )
    connection.close()
    listing = folder / "sources.toml"
    listing.write_text(_SOURCE.format(file=store))
    return listing
