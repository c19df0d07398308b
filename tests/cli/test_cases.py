"""Single migrations, as support sees and corrects them."""

import re
from datetime import timedelta

import rich_click as click
from sqlalchemy import update

from idp import clock
from idp.accounts.account import Account
from idp.accounts.addresses import parse_email
from idp.accounts.profile import Profile
from idp.audit.models import AuditEvent
from idp.cli.common import application, database_only
from idp.cli.main import main
from idp.extensions import db, transaction
from idp.legacy import identity as identities
from idp.migration import cases, completion
from idp.migration.cases import Known
from idp.migration.completion import NewAccount
from idp.migration.models import MigrationCase
from tests.cli.conftest import Shell

WHY = ("--reason", "came to the counter with a passport")
OLD = "jeanne@old.example.ch"


def begin(key: str, email: str = "jeanne@example.ch", **values: object) -> str:
    """A case that came as far as an address; its reference."""
    address = parse_email(email)
    assert address
    with application(), transaction():
        case = cases.open_or_resume(Known("portail", key, Profile(given_name="Jeanne"), "", OLD))
        assert case
        cases.choose_email(case, address)
        for name, value in values.items():
            setattr(case, name, value)
        return case.reference


def finish(reference: str, email: str = "jeanne@example.ch") -> str:
    """An account made of it; its sub."""
    address = parse_email(email)
    assert address
    with application(), transaction():
        case = db.session.query(MigrationCase).filter_by(reference=reference).one()
        account = completion.complete(case, NewAccount(address, None, "no hash", "fr"))
        assert isinstance(account, Account)
        return account.sub


def holders() -> dict[str, int | None]:
    with database_only():
        return {one.key: one.account_id for one in db.session.query(identities.LegacyIdentity)}


def account(sub: str) -> Account:
    with database_only():
        found = db.session.query(Account).filter_by(sub=sub).one()
        db.session.expunge(found)
        return found


def events(kind: str) -> list[AuditEvent]:
    with database_only():
        return list(db.session.query(AuditEvent).filter_by(event=kind).all())


def test_cases_are_listed_by_what_became_of_them(legacy: Shell) -> None:
    now = clock.now()
    names = {
        "open": begin("1"),
        "conflict": begin("2", conflict_at=now),
        "disputed": begin("3", disputed_at=now),
        "expired": begin("4", expires_at=now),
        "done": begin("5", "five@example.ch"),
    }
    finish(names["done"], "five@example.ch")
    with application(), transaction():
        done = update(MigrationCase).where(MigrationCase.completed_at.is_not(None))
        db.session.execute(done.values(expires_at=now))
    for state, reference in names.items():
        (row,) = legacy.json("migration", "list", "--state", state)
        assert (row["reference"], row["state"], row["source"]) == (reference, state, "portail")
    assert len(legacy.json("migration", "list")) == 5
    assert legacy.json("migration", "list", "--source", "other") == []
    shown = legacy.ok("migration", "list", "--limit", "1")
    assert len(re.findall(r"\w{4}-\w{4}", shown)) == 1
    assert len(events("looked_at")) == 8


def test_a_mistyped_address_can_be_seen_by_its_reference_however_it_is_written(
    legacy: Shell,
) -> None:
    reference = begin("1", "jeane@exmaple.ch")
    for written in (reference, reference.lower().replace("-", " "), "portail:1"):
        shown = legacy.json("migration", "show", written)
        assert (shown["reference"], shown["email"]) == (reference, "jeane@exmaple.ch")
    assert "no case" in legacy.refused("migration", "show", "AAAA-AAAA")
    assert len(events("looked_at")) == 4


def test_a_case_is_found_by_its_address_before_and_after_the_end(legacy: Shell) -> None:
    reference = begin("1")
    assert legacy.json("migration", "show", "Jeanne@example.ch")["reference"] == reference
    finish(reference)
    assert legacy.json("migration", "show", "jeanne@example.ch")["reference"] == reference
    begin("2", "twice@example.ch")
    begin("3", "twice@example.ch")
    assert "or of several" in legacy.refused("migration", "show", "twice@example.ch")


def test_a_disputed_case_begins_anew(legacy: Shell) -> None:
    reference = begin("1", disputed_at=clock.now())
    assert reference in legacy.refused("migration", "invite", "jeanne", *WHY)
    assert reference in legacy.ok("migration", "reopen", reference, *WHY)
    shown = legacy.json("migration", "show", reference)
    assert (shown["state"], shown["email"]) == ("open", None)
    assert "is open" in legacy.refused("migration", "reopen", reference, *WHY)
    (event,) = events("case_reopened")
    assert event.details["why"] == WHY[1]


def test_a_conflict_is_over_once_another_address_is_proven_or_the_case_begins_anew(
    legacy: Shell,
) -> None:
    now = clock.now()
    later = now + timedelta(minutes=1)
    solved = begin("1", conflict_at=now, mailbox_proven_at=later)
    again = begin("2", conflict_at=now, disputed_at=now)
    legacy.ok("migration", "reopen", again, *WHY)
    assert legacy.json("migration", "list", "--state", "conflict") == []
    found = {row["reference"]: row for row in legacy.json("migration", "list", "--state", "open")}
    assert set(found) == {solved, again}
    assert found[again]["reached"] == "started"


def call_it(source: str, key: str, identifier: str) -> None:
    """Note how an old identity is called there."""
    with application(), transaction():
        identities.meet(source, key).identifier = identifier


def test_a_case_is_found_by_the_old_identifier_of_one_person_only(legacy: Shell) -> None:
    reference = begin("1")
    assert "no case" in legacy.refused("migration", "show", "Jeanne")
    call_it("portail", "1", "jeanne")
    for typed in (reference, "portail:1", "jeanne", "JEANNE"):
        shown = legacy.json("migration", "show", typed)
        assert (shown["reference"], shown["identifier"]) == (reference, "jeanne")
    assert [row["identifier"] for row in legacy.json("migration", "list")] == ["jeanne"]
    call_it("another", "9", "jeanne")
    assert "no case" in legacy.refused("migration", "show", "jeanne"), "whose is it?"


def test_no_word_of_the_help_becomes_a_picture() -> None:
    """The library takes a word between colons for the name of an emoji."""

    def texts(command: click.Command) -> list[str]:
        own = [
            command.help or "",
            *(getattr(option, "help", "") or "" for option in command.params),
        ]
        inner = command.commands.values() if isinstance(command, click.Group) else ()
        return own + [text for one in inner for text in texts(one)]

    assert [text for text in texts(main) if re.search(r":[A-Za-z_]+:", text)] == []
