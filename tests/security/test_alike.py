"""Failed sign-ins tell nothing about who somebody is: not in text, status, headers, nor in time."""

import re
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import bcrypt
import pytest
import requests
from sqlalchemy import update

from idp.accounts import password as passwords
from idp.accounts.account import Account
from idp.extensions import db, transaction
from idp.legacy import identity as identities
from tests.support.accounts import make_account
from tests.support.alike import assert_as_quick, without_random
from tests.support.journey import NEW_PASSWORD, Page
from tests.support.server import serving
from tests.support.settings import override
from tests.support.surfer import Answer

OLD = "Edelweiss-1291"
EACH = 30
_SOURCE = """
[[source]]
name = "alt"
type = "sql"
url = "sqlite:///{file}"
query = "SELECT * FROM people WHERE login = :identifier"
[source.columns]
key = "login"
password_hash = "hash"
"""


@pytest.fixture
def store(tmp_path):
    """Three kinds of people in an old store that hashes as slowly as real ones do."""
    hashed = bcrypt.hashpw(OLD.encode(), bcrypt.gensalt(10)).decode()
    rows = [
        (f"{kind}{number}", hashed, kind == "locked")
        for kind in ("legacy", "locked", "migrated")
        for number in range(EACH)
    ]
    with sqlite3.connect(tmp_path / "alt.db") as connection:
        connection.execute("CREATE TABLE people (login TEXT, hash TEXT, locked INTEGER)")
        connection.executemany("INSERT INTO people VALUES (?, ?, ?)", rows)
    connection.close()
    listing = tmp_path / "alt.toml"
    listing.write_text(_SOURCE.format(file=tmp_path / "alt.db"))
    return listing


@pytest.fixture
def server(app, store):
    """As in production: real argon2 costs, the floor of 400 ms."""
    with override(app, argon2_memory=19456, argon2_time=2):
        hashed = passwords.hash_password(NEW_PASSWORD)
    for number in range(EACH):
        make_account(f"account{number}@example.ch")
        make_account(f"frozen{number}@example.ch")
        migrated = make_account(f"migrated{number}@example.ch")
        with transaction():
            identity = identities.meet("alt", f"migrated{number}")
            assert identities.claim(identity.id, migrated)
    with transaction():
        db.session.execute(update(Account).values(password_hash=hashed))
        frozen = update(Account).where(Account.email.like("frozen%"))
        db.session.execute(frozen.values(status="frozen"))
    changes = {
        "legacy_sources": store,
        "argon2_memory": 19456,
        "argon2_time": 2,
        "sign_in_floor": timedelta(milliseconds=400),
        "wrong_passwords_network": 10_000,
    }
    with serving(app.extensions["seuil.settings"], **changes) as url:
        yield url


KINDS = {
    "nobody": ("nobody{}", "wrong"),
    "no account's address": ("nobody{}@example.ch", "wrong"),
    "an account": ("account{}@example.ch", "wrong"),
    "a frozen account, right password": ("frozen{}@example.ch", NEW_PASSWORD),
    "an old identifier": ("legacy{}", "wrong"),
    "a locked old identifier": ("locked{}", "wrong"),
    "a migrated old identifier, right old password": ("migrated{}", OLD),
}


class Prober:
    """One browser that fails to sign in again and again."""

    def __init__(self, person, url):
        self.http = requests.Session()
        answer = self.http.get(url + person.authorize_path(), timeout=10)
        self.url, self.token = answer.url, Page(Answer(answer)).forms[0].fields["csrf_token"]

    def probe(self, identifier, password):
        fields = {"csrf_token": self.token, "identifier": identifier, "password": password}
        return self.http.post(self.url, data=fields, timeout=30)


def bare(answer, identifier):
    """What can be compared: without what was typed, and what is random anyway."""
    text = without_random(answer.text)
    text = text.replace(identifier, "")
    headers = {k: v for k, v in answer.headers.items() if k not in {"Date", "Content-Length"}}
    headers.pop("Set-Cookie", None)
    return answer.status_code, text, headers, sorted(answer.cookies.keys())


def measured(probers):
    """One round of every kind, mixed: kind, seconds, look of each answer."""
    tries = [
        (kind, identifier.format(number), password)
        for number in range(EACH)
        for kind, (identifier, password) in KINDS.items()
    ]

    def one_lane(lane):
        """Each browser takes every fourth try, so that all kinds stay mixed."""
        found = []
        for kind, identifier, password in tries[lane :: len(probers)]:
            answer = probers[lane].probe(identifier, password)
            found.append((kind, answer.elapsed.total_seconds(), bare(answer, identifier)))
        return found

    with ThreadPoolExecutor(len(probers)) as pool:
        return [one for lane in pool.map(one_lane, range(len(probers))) for one in lane]


def test_text_status_headers_and_time(person, server):
    probers = [Prober(person, server) for _ in range(4)]

    def one_round():
        results = measured(probers)
        assert len(results) >= 200
        looks = {str(look) for _kind, _seconds, look in results}
        assert len(looks) == 1, looks
        assert results[0][2][0] == 422
        return [("sign-in", kind, seconds) for kind, seconds, _look in results]

    assert_as_quick(one_round)


def test_a_taken_address_is_told_to_nobody_who_does_not_read_its_mail(person):
    """The page, its status and its headers are those of a free address until the code is typed."""
    make_account("taken@example.ch")
    answers = []
    for address in ("taken@example.ch", "free@example.ch"):
        person.authorize().sign_in("jeanne", OLD).press("Recevoir le code", email=address)
        assert person.step == "email-code"
        text = re.sub(
            r'(value=")[^"]*|/interaction/[\w-]+|(?<=reference">)[\w-]+', "", person.page.source
        )
        answers.append((person.page.status, text.replace(address, "")))
    assert answers[0] == answers[1]
