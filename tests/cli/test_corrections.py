"""Single migrations undone, and given to accounts."""

import json
from datetime import date

import pytest
from sqlalchemy import update

from idp import clock
from idp.accounts.account import Account, AccountStatus
from idp.accounts.profile import Profile
from idp.cli.common import application
from idp.extensions import db, transaction
from idp.migration import cases
from idp.migration.cases import Known
from tests.cli.conftest import Shell
from tests.cli.test_cases import OLD, WHY, account, begin, events, finish, holders
from tests.cli.test_support import told
from tests.support.inbox import Inbox


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


def test_both_people_are_shown_before_anybody_says_that_they_are_one(legacy: Shell) -> None:
    """Names, birth dates and what is enough of the addresses; seeing them leaves a trace."""
    born = Profile(given_name="Jeanne", family_name="Mus\x1bter", birthdate=date(1950, 1, 31))
    with application(), transaction():
        other = cases.open_or_resume(Known("portail", "2", born, "", "other@example.ch"))
        assert other
        reference = other.reference
    sub = finish(begin("1"))
    seen = legacy.run("migration", "merge", reference, sub, *WHY, answer="n\n").output
    assert f"{reference}: Jeanne Mus\ufffdter, born 1950-01-31, o" in seen
    assert f"{sub}: Jeanne, birth date unknown, j" in seen
    assert "@example.ch" not in seen
    assert events("looked_at")[-1].details["what"] == "migration merge"
    assert "j•••@" in legacy.run("migration", "revert", "portail:1", *WHY, answer="n\n").output


def test_an_old_identifier_that_is_somebodys_address_stands_for_nobody(legacy: Shell) -> None:
    """Whoever is called so in an old system must not be taken for the account's owner."""
    main = finish(begin("1", "main@example.ch"), "main@example.ch")
    finish(begin("2", "second@example.ch"), "second@example.ch")
    with application(), transaction():
        thief = cases.open_or_resume(
            Known("portail", "666", Profile(), "", "", "", "second@example.ch")
        )
        assert thief
        reference = thief.reference
    assert legacy.json("migration", "show", "second@example.ch")["reference"] != reference
    legacy.refused("migration", "revert", "second@example.ch", *WHY, "--yes")
    legacy.ok("migration", "merge", "second@example.ch", "main@example.ch", *WHY, "--yes")
    assert holders() == {"1": account(main).id, "2": account(main).id, "666": None}


def test_no_name_of_an_old_system_acts_on_the_terminal(legacy: Shell) -> None:
    reference = begin("k\x1b]0;x\x07\x9b31m\u202e")
    finish(reference)
    shown = legacy.ok("migration", "list", "--json")
    shown += legacy.run("migration", "revert", reference, *WHY, answer="y\n").output
    assert [one for one in shown if not one.isprintable() and one != "\n"] == []
    assert json.loads(legacy.ok("migration", "list", "--json"))[0]["key"].endswith("\u202e")


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
