"""Copies of an old system: files to load, and what was loaded."""

import csv
import hashlib
import json
from pathlib import Path

from sqlalchemy import select

from idp.cli.common import database_only
from idp.extensions import db
from idp.legacy.copies import LegacyRow

SECRET = hashlib.md5(b"Edelweiss-1291").hexdigest()
SOURCES = """
[[source]]
name = "portail"
type = "imported"
hash = "md5-salted"
[source.columns]
key = "id"
identifier = "login"
password_hash = "hash"
email = "mail"
birthdate = "born"
[[source]]
name = "other"
type = "imported"
"""
HEADER = ("id", "login", "hash", "mail", "born", "unused")


def person(number: int, **values: str) -> dict[str, str]:
    """A line of a file."""
    row = {"id": f"{number}", "login": f"u{number}", "hash": SECRET, "mail": "", "born": ""}
    return {**row, "unused": "x", **values}


def write(home: Path, *people: dict[str, str], name: str = "people.csv") -> str:
    """A CSV file of so many people; its path."""
    path = home / name
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, HEADER)
        writer.writeheader()
        writer.writerows(people)
    return str(path)


def rows() -> dict[str, LegacyRow]:
    """What is loaded, by key."""
    with database_only():
        return {row.key: row for row in db.session.scalars(select(LegacyRow))}


def counts(text: str) -> dict[str, int]:
    """What a load says that it did."""
    return {name: count for name, count in json.loads(text).items() if name != "source" and count}
