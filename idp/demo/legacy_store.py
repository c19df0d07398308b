"""The old portal's user table: 24 people, three kinds of password hash, a few locked."""

import hashlib
import sqlite3
from dataclasses import dataclass
from pathlib import Path

import bcrypt
from passlib.hash import sha512_crypt

_SCHEMA = """
CREATE TABLE users (
    id INTEGER PRIMARY KEY,
    identifier TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    hash_salt TEXT,
    first_name TEXT NOT NULL,
    last_name TEXT NOT NULL,
    birth_date TEXT,
    street TEXT,
    postal_code TEXT,
    city TEXT,
    phone TEXT,
    locked INTEGER NOT NULL DEFAULT 0
)
"""

SOURCE = """# The old portal's users, as the demo's provider sees them.
[[source]]
name = "ancien-portail"
type = "sql"
url = "sqlite:///{path}"
query = '''
SELECT users.*, CASE WHEN hash_salt IS NULL THEN 'auto' ELSE 'md5-salted' END AS scheme
FROM users WHERE identifier = :identifier
'''

[source.columns]
key = "id"
salt = "hash_salt"
given_name = "first_name"
family_name = "last_name"
birthdate = "birth_date"
street_address = "street"
locality = "city"
"""

_PEOPLE = (
    ("Jeanne", "Favre", "1948-03-14", "Rue du Lac 4", "1800", "Vevey", "079 555 01 01"),
    ("Marcel", "Rochat", "1952-11-02", "Chemin des Vignes 12", "1095", "Lutry", ""),
    ("Lucie", "Monnier", "1987-06-23", "Avenue de la Gare 31", "1003", "Lausanne", "078 555 01 03"),
    ("Antoine", "Berset", "1975-01-30", "Route de Berne 8", "1700", "Fribourg", ""),
    ("Élodie", "Chappuis", "1993-09-09", "Grand-Rue 17", "1260", "Nyon", "076 555 01 05"),
    ("Bernard", "Jaquet", "1944-12-25", "Place du Marché 2", "1860", "Aigle", ""),
    ("Sophie", "Perrin", "1969-04-18", "Rue des Alpes 22", "1201", "Genève", ""),
    ("Nicolas", "Cuendet", "1981-08-05", "Rue de l’Industrie 9", "2300", "La Chaux-de-Fonds", ""),
    ("Aïcha", "Benali", "1990-02-11", "Avenue d’Ouchy 45", "1006", "Lausanne", "079 555 01 09"),
    ("Jean-Luc", "Magnin", "1958-07-07", "Sentier du Bois 3", "1580", "Avenches", ""),
    ("Chloé", "Dufour", "1999-10-20", "Rue du Midi 14", "1020", "Renens", ""),
    ("Giovanni", "Ferrari", "1963-05-16", "Via Nassa 6", "6900", "Lugano", ""),
    ("Martine", "Gilliéron", "1950-02-28", "Rue de Bourg 27", "1003", "Lausanne", ""),
    ("Stéphane", "Pittet", "1978-12-12", "Route de Payerne 51", "1530", "Payerne", ""),
    ("Noémie", "Vuilleumier", "1996-03-03", "Rue du Temple 5", "2400", "Le Locle", ""),
    ("René", "Aubert", "1939-06-01", "Chemin de la Forêt 1", "1347", "Le Sentier", ""),
    ("Inès", "Da Silva", "1985-11-19", "Avenue du Léman 60", "1005", "Lausanne", ""),
    ("Pierre", "Zbinden", "1971-09-27", "Hauptgasse 33", "3280", "Morat", ""),
    ("Catherine", "Richard", "1960-01-08", "Rue Centrale 10", "1110", "Morges", ""),
    ("Olivier", "Blanc", "1983-04-04", "Rue du Simplon 19", "1920", "Martigny", ""),
    ("Fatou", "Diop", "1992-07-29", "Rue de Lyon 73", "1203", "Genève", ""),
    ("Daniel", "Schneider", "1955-10-10", "Bahnhofstrasse 2", "2502", "Bienne", ""),
    ("Yvette", "Corbaz", "1946-08-21", "Place de l’Église 7", "1610", "Oron-la-Ville", ""),
    ("Thomas", "Müller", "1989-12-31", "Rue des Moulins 28", "1400", "Yverdon-les-Bains", ""),
)
_LOCKED = {7, 18}
_WORDS = ("Edelweiss", "Gruyere", "Matterhorn", "Funiculaire", "Raclette", "Montagne")


@dataclass(frozen=True)
class LegacyUser:
    """One person of the demo, with the old password in clear: that is the point of a demo."""

    identifier: str
    password: str
    first_name: str
    last_name: str
    locked: bool


def people() -> list[LegacyUser]:
    """The same 24 people at every start."""
    return [
        LegacyUser(
            identifier=f"u{10001 + number * 37}",
            password=f"{_WORDS[number % len(_WORDS)]}{19 + number}!",
            first_name=row[0],
            last_name=row[1],
            locked=number in _LOCKED,
        )
        for number, row in enumerate(_PEOPLE)
    ]


def seed(path: Path) -> None:
    """Make the store unless it is there. Hashes are cheap on purpose, to start quickly."""
    if path.exists():
        return
    unfinished = path.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    connection = sqlite3.connect(unfinished)
    with connection:
        connection.execute(_SCHEMA)
        for number, (user, row) in enumerate(zip(people(), _PEOPLE, strict=True)):
            hashed, salt = _hash(number, user.password)
            values = (number + 1, user.identifier, hashed, salt, *row, int(user.locked))
            connection.execute(f"INSERT INTO users VALUES ({','.join('?' * len(values))})", values)  # noqa: S608
    connection.close()
    unfinished.rename(path)


def _hash(number: int, password: str) -> tuple[str, str | None]:
    """bcrypt, sha512-crypt and salted MD5, in turn."""
    if number % 3 == 0:
        return bcrypt.hashpw(password.encode(), bcrypt.gensalt(5)).decode(), None
    if number % 3 == 1:
        return sha512_crypt.using(rounds=1000).hash(password), None
    salt = f"{number:04x}"
    return hashlib.md5((salt + password).encode(), usedforsecurity=False).hexdigest(), salt
