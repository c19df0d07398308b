from datetime import date

import pytest

from idp.accounts import account
from idp.accounts.addresses import parse_email
from idp.accounts.profile import Profile
from idp.cli.common import database_only
from idp.extensions import db, transaction
from idp.legacy import identity
from tests.cli.conftest import Shell

HASH = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2g"


def add(address: str, phone: str | None = None) -> str:
    """The `sub` of a new account, made as migration makes one."""
    parsed = parse_email(address)
    assert parsed
    profile = Profile(given_name="Jeanne", family_name="Favre\x1b[2J", birthdate=date(1950, 3, 14))
    with database_only(), transaction():
        made = account.create(
            address=parsed, password_hash=HASH, phone=phone, profile=profile, locale="fr"
        )
        db.session.flush()
        identity.meet("portail", made.sub).account_id = made.id
        return made.sub


def test_a_fresh_deployment_has_no_account_and_no_client(ready: Shell) -> None:
    """ASVS 5.0, 6.3.2: nothing to forget to close."""
    assert ready.json("users", "list") == ready.json("clients", "list") == []


def test_no_hash_is_ever_shown(ready: Shell) -> None:
    sub = add("jeanne@example.ch")
    for text in (
        ready.ok("users", "list"),
        ready.ok("users", "list", "--json"),
        ready.ok("users", "show", sub),
        ready.ok("users", "show", sub, "--json"),
    ):
        assert "argon2" not in text
        assert "password_hash" not in text


def test_a_user_is_found_by_address_in_any_case_and_by_sub(ready: Shell) -> None:
    sub = add("Jeanne@Example.ch", "+41791234567")
    by_address = ready.json("users", "show", "jeanne@EXAMPLE.CH")
    assert by_address == ready.json("users", "show", sub)
    assert by_address["email"] == "Jeanne@example.ch"
    assert by_address["phone"] == "+41791234567"
    assert by_address["birthdate"] == "1950-03-14"
    assert by_address["legacy_identities"] == [f"portail:{sub}"]


def test_names_cannot_move_the_terminal(ready: Shell) -> None:
    sub = add("jeanne@example.ch")
    assert "Favre\N{REPLACEMENT CHARACTER}[2J" in ready.ok("users", "show", sub)


def test_users_are_listed_newest_first_and_searched(ready: Shell) -> None:
    for name in ("anna", "paul", "rosa"):
        add(f"{name}@example.ch")
    assert [row["email"][:4] for row in ready.json("users", "list")] == ["rosa", "paul", "anna"]
    assert len(ready.json("users", "list", "--limit", "2")) == 2
    assert [row["email"][:4] for row in ready.json("users", "list", "--email", "PAUL@")] == ["paul"]


@pytest.mark.parametrize("search", ["%", "_", "' OR 1=1 --"])
def test_a_search_is_taken_literally(ready: Shell, search: str) -> None:
    add("jeanne@example.ch")
    assert ready.json("users", "list", "--email", search) == []


def test_an_unknown_user_is_one_line(ready: Shell) -> None:
    assert "nobody@example.ch" in ready.refused("users", "show", "nobody@example.ch")
