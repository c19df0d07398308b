"""Single migrations, as support sees and corrects them."""

import re
from datetime import timedelta

import pytest
import rich_click as click
from sqlalchemy import update

from idp import clock
from idp.accounts.account import Account, AccountStatus
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
from tests.cli.test_support import told
from tests.support.inbox import Inbox
from tests.support.strict import write_strict_store

WHY = ("--reason", "came to the counter with a passport")
OLD = "jeanne@old.example.ch"


@pytest.fixture
def legacy(ready: Shell) -> Shell:
    """A deployment with an old system."""
    ready.set("IDP_LEGACY_SOURCES", str(write_strict_store(ready.home, "password")))
    return ready


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


def test_a_disputed_case_begins_anew(legacy: Shell) -> None:
    reference = begin("1", disputed_at=clock.now())
    assert reference in legacy.refused("migration", "invite", "jeanne", *WHY)
    assert reference in legacy.ok("migration", "reopen", reference, *WHY)
    shown = legacy.json("migration", "show", reference)
    assert (shown["state"], shown["email"]) == ("open", None)
    assert "is open" in legacy.refused("migration", "reopen", reference, *WHY)
    (event,) = events("case_reopened")
    assert event.details["why"] == WHY[1]


def test_a_case_that_is_done_is_reverted_or_unfrozen_instead(legacy: Shell) -> None:
    reference = begin("1")
    sub = finish(reference)
    for words in (("reopen", reference), ("merge", reference, sub)):
        assert f"account {sub}" in legacy.refused("migration", *words, *WHY)


def test_a_migration_is_undone_and_the_sub_is_nobodys_for_ever(legacy: Shell, inbox: Inbox) -> None:
    reference = begin("1")
    sub = finish(reference)
    inbox.clear()
    shown = legacy.ok("migration", "revert", reference, *WHY, answer="y\n")
    assert f"portail:1: nobody's; account {sub} is closed" in shown
    assert "on_migrated" in shown
    assert holders() == {"1": None}
    assert legacy.json("migration", "show", reference)["state"] == "open"
    told()
    assert [mail.to for mail in inbox.messages] == ["jeanne@example.ch"]
    gone = account(sub)
    assert (gone.email, gone.given_name, gone.password_hash, gone.phone) == ("", "", "", None)
    # The same person comes again, with the same address.
    with application(), transaction():
        cases.open_or_resume(Known("portail", "1", Profile()))
    assert finish(reference) != sub
    (event,) = events("migration_reverted")
    assert (event.account, event.details["why"]) == (sub, WHY[1])


@pytest.mark.parametrize("command", ["freeze", "unfreeze", "end-sessions", "recover"])
def test_a_closed_account_stays_closed(legacy: Shell, command: str) -> None:
    reference = begin("1")
    sub = finish(reference)
    legacy.ok("migration", "revert", "portail:1", *WHY, "--yes")
    assert "closed for good" in legacy.refused("users", command, sub, *WHY)
    assert account(sub).closed
    assert "no old identity" in legacy.refused("migration", "revert", reference, *WHY, "--yes")


def test_nothing_is_undone_without_a_yes(legacy: Shell) -> None:
    reference = begin("1")
    finish(reference)
    assert legacy.run("migration", "revert", reference, *WHY, answer="n\n").exit_code == 1
    assert holders()["1"] is not None


def test_an_account_that_holds_another_identity_stays(legacy: Shell) -> None:
    sub = finish(begin("1"))
    legacy.ok("migration", "merge", begin("2", "other@example.ch"), sub, *WHY, "--yes")
    before = account(sub).epoch
    assert "keeps its other" in legacy.ok("migration", "revert", "portail:2", *WHY, "--yes")
    assert account(sub).active
    assert account(sub).epoch == before + 1
    assert holders() == {"1": account(sub).id, "2": None}


def test_a_case_is_given_to_an_account(legacy: Shell, inbox: Inbox) -> None:
    sub = finish(begin("1"))
    reference = begin("2", "other@example.ch", disputed_at=clock.now())
    inbox.clear()
    assert sub in legacy.ok("migration", "merge", reference, "jeanne@example.ch", *WHY, "--yes")
    assert set(holders().values()) == {account(sub).id}
    assert legacy.json("migration", "show", reference)["state"] == "done"
    assert account(sub).epoch == 2, "its sessions ended"
    told()
    assert {mail.to for mail in inbox.messages} == {"jeanne@example.ch", OLD}
    (event,) = events("merged")
    assert (event.account, event.details["reference"]) == (sub, reference)


def test_two_accounts_become_one(legacy: Shell, inbox: Inbox) -> None:
    one = finish(begin("1"))
    two = finish(begin("2", "two@example.ch"), "two@example.ch")
    epoch = account(one).epoch
    inbox.clear()
    legacy.ok("migration", "merge", two, one, *WHY, "--yes")
    assert set(holders().values()) == {account(one).id}
    assert account(two).closed
    assert account(one).epoch == epoch + 1
    told()
    assert {mail.to for mail in inbox.messages} == {"jeanne@example.ch", "two@example.ch"}
    assert legacy.json("users", "show", one)["legacy_identities"] == ["portail:1", "portail:2"]


def test_whoever_is_blocked_hears_nothing_of_a_merge(legacy: Shell, inbox: Inbox) -> None:
    """The address of the blocked one may be a thief's, and the notice has a link that blocks."""
    one = finish(begin("1"))
    two = finish(begin("2", "two@example.ch"), "two@example.ch")
    legacy.ok("users", "freeze", two, *WHY)
    told()
    inbox.clear()
    legacy.ok("migration", "merge", two, one, *WHY, "--yes")
    told()
    assert {mail.to for mail in inbox.messages} == {"jeanne@example.ch"}


def test_nothing_goes_to_an_account_that_is_itself_blocked_or_nobodys(legacy: Shell) -> None:
    one = finish(begin("1"))
    reference = begin("2", "two@example.ch")
    assert "cannot go" in legacy.refused("migration", "merge", one, one, *WHY, "--yes")
    assert "no account" in legacy.refused("migration", "merge", reference, "x", *WHY, "--yes")
    assert "neither" in legacy.refused("migration", "merge", "x", one, *WHY, "--yes")
    gone = finish(begin("3", "three@example.ch"), "three@example.ch")
    legacy.ok("migration", "revert", "portail:3", *WHY, "--yes")
    for pair in ((gone, one), (one, gone)):
        assert "cannot go" in legacy.refused("migration", "merge", *pair, *WHY, "--yes")
    with application(), transaction():
        db.session.execute(update(Account).values(status=AccountStatus.FROZEN))
    assert "cannot go" in legacy.refused("migration", "merge", reference, one, *WHY, "--yes")
    assert holders()["2"] is None


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


def test_whoever_is_blocked_hears_nothing_of_a_migration_that_was_undone(
    legacy: Shell, inbox: Inbox
) -> None:
    """A stranger who knows the old password would try again."""
    sub = finish(begin("1"))
    legacy.ok("users", "freeze", sub, *WHY)
    told()
    inbox.clear()
    legacy.ok("migration", "revert", "portail:1", *WHY, "--yes")
    told()
    assert inbox.messages == []


def test_an_account_that_stays_is_told_so(legacy: Shell, inbox: Inbox) -> None:
    sub = finish(begin("1"))
    legacy.ok("migration", "merge", begin("2", "other@example.ch"), sub, *WHY, "--yes")
    told()
    inbox.clear()
    legacy.ok("migration", "revert", "portail:2", *WHY, "--yes")
    told()
    assert "reste votre identifiant" in inbox.messages[0].text


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
