"""Old systems that ask for more than the password, and invitations as support hands them out."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask

from idp.accounts import account as accounts
from idp.accounts.addresses import parse_email
from idp.cli import migration as command
from idp.extensions import transaction
from idp.flow import support
from idp.legacy.registry import Sources, read
from idp.migration import invitations
from idp.migration.cases import Known
from idp.migration.invitations import By, Issued
from tests.support.journey import Person
from tests.support.people import write_store

INVITED = "J’ai un code d’invitation"
BY = By("os:clerk", "the person came to the counter")
_CONTACTS = """CASE WHEN login IN ('jeanne', 'paul') OR login LIKE 'known%'
THEN login || '@old.example.ch' ELSE '' END AS email,
CASE login WHEN 'luc' THEN '079 123 45 67' ELSE '' END AS number"""


def write_strict_store(folder: Path, proof: str, more: int = 0) -> Path:
    """The old system of tests, asking for this proof; the file that names it. Jeanne and Paul have an address
    on record, Luc a number only, Rosa neither; so many `more`, known0 and so on, an address each."""
    listing = write_store(folder)
    text = listing.read_text().replace('type = "sql"', f'type = "sql"\nproof = "{proof}"')
    query = " ".join(f"SELECT *, {_CONTACTS},".split())
    listing.write_text(text.replace("SELECT *,", query) + 'email = "email"\nphone = "number"\n')
    with sqlite3.connect(folder / "portail.db") as store:
        for number in range(more):
            store.execute("INSERT INTO users (login) VALUES (?)", (f"known{number}",))
    store.close()
    return listing


@contextmanager
def asking_for(app: Flask, folder: Path, proof: str) -> Iterator[None]:
    """Run with such an old system for a while."""
    before = app.extensions["seuil.legacy"]
    app.extensions["seuil.legacy"] = Sources(read(write_strict_store(folder, proof)))
    try:
        yield
    finally:
        for source in app.extensions["seuil.legacy"].sources:
            source.close()
        app.extensions["seuil.legacy"] = before


def invite(identifier: str) -> str:
    """A code for the migration of an old identifier."""
    found = command._row(identifier, None)
    with transaction():
        issued = invitations.invite_identity(
            Known.of(found.source, found.person, identifier), found.person.email or None, BY
        )
    return _code(issued)


def invite_newcomer(address: str = "nora@example.ch") -> str:
    """A code for somebody whom no old system knows."""
    parsed = parse_email(address)
    assert parsed is not None
    with transaction():
        return _code(invitations.invite_newcomer(parsed, BY))


def invite_back(address: str, *, without_phone: bool = False) -> str:
    """A code for the owner of an account who lost the mailbox."""
    account = accounts.by_email_key(address)
    assert account is not None
    with transaction():
        issued = support.invite_back(
            account.id, actor=BY.actor, why=BY.why, without_phone=without_phone
        )
    return _code(issued)


def enter_invitation(person: Person, code: str) -> Person:
    """From the sign-in page to wherever the code leads."""
    return person.press(INVITED).press("Continuer", invitation=code)


def _code(issued: object) -> str:
    assert isinstance(issued, Issued), issued
    return issued.code
