"""`idp legacy check` and `audit`: what an operator sees before anybody moves."""

import hashlib
import json
import stat
from pathlib import Path

import pytest
from sqlalchemy import create_engine, func, select, text

from idp.accounts.account import Account
from idp.accounts.profile import Profile
from idp.cli.common import database_only
from idp.extensions import Base, db, transaction
from idp.legacy import identity
from idp.migration import cases
from tests.cli.conftest import Shell
from tests.cli.record import ME, events
from tests.cli.test_users import add
from tests.support.people import LOCKED, MUST_CHANGE, PASSWORD, write_store
from tests.support.schema import MODELS_LOADED

LIST = "list = \"SELECT *, 'md5-salted' AS scheme FROM users\"\n[source.columns]"
IMPORTED = """
[[source]]
name = "copy"
type = "imported"
closes = 2027-06-30
hash = "md5-salted"
"""


@pytest.fixture
def old(ready: Shell) -> Shell:
    """An old store of seven people, and a copy of another with none."""
    listing = write_store(ready.home)
    listed = listing.read_text().replace("[source.columns]", LIST)
    listing.write_text(listed + IMPORTED)
    ready.set("IDP_LEGACY_SOURCES", str(listing))
    return ready


def load(old: Shell, *people: str) -> None:
    file = old.home / "people.csv"
    header = "key,identifier,password_hash,email,given_name,phone,locked"
    file.write_text("\n".join((header, *people)) + "\n")
    old.ok("legacy", "import", "copy", str(file))


def hashed(password: str) -> str:
    return hashlib.md5(password.encode()).hexdigest()


def rows() -> dict[str, int]:
    """How many rows every table has."""
    assert MODELS_LOADED
    with database_only():
        count = func.count()
        tables = Base.metadata.sorted_tables
        return {table.name: db.session.scalar(select(count).select_from(table)) for table in tables}


def test_every_source_says_what_is_seen_of_it(old: Shell) -> None:
    first, second = old.json("legacy", "check")
    assert (first["source"], first["type"], first["state"]) == ("portail", "sql", "answers")
    assert (first["rows"], first["hashes"]) == (7, {"md5-salted": 7})
    assert first["columns"]["given_name"] == "first_name"
    assert (second["source"], second["rows"], second["closes"]) == ("copy", 0, "2027-06-30")
    said = old.ok("legacy", "check", "portail")
    assert "key: id" in said
    assert "copy" not in said
    assert "IDP_SIGN_IN_FLOOR" not in said


def test_hashes_that_take_longer_than_the_floor_are_told(old: Shell) -> None:
    """The time of a refusal would tell whom the old system knows."""
    old.set("IDP_SIGN_IN_FLOOR", "PT0S")
    assert old.json("legacy", "check")[0]["slowest"] is not None
    assert "Raise that" in old.ok("legacy", "check", "portail")
    assert "Raise that" in old.ok("legacy", "check", "--identifier", "jeanne", answer="wrong\n")


def test_a_source_that_does_not_answer_is_an_error(old: Shell) -> None:
    (old.home / "portail.db").unlink()
    result = old.run("legacy", "check", "--json")
    assert result.exit_code == 1
    assert "does not answer" in json.loads(result.stdout)[0]["state"]
    assert "nobody" in old.refused("legacy", "check", "nobody")


def test_without_sources_there_is_nothing_to_check(ready: Shell) -> None:
    assert "IDP_LEGACY_SOURCES" in ready.refused("legacy", "check")


def test_a_looked_at_store_is_looked_at_by_somebody(old: Shell) -> None:
    old.ok("legacy", "check")
    old.ok("legacy", "audit", "portail")
    old.run("legacy", "check", "--identifier", "jeanne", answer=f"{PASSWORD}\n")
    looks = [(one["actor"], one["what"], one["sought"]) for one in events("looked_at")]
    assert looks == [
        (ME, "legacy check", ""),
        (ME, "legacy audit", "source=portail"),
        (ME, "legacy check", "identifier=j•••"),
    ]


def walk(old: Shell, identifier: str, password: str = PASSWORD, *more: str) -> dict:
    arguments = ("legacy", "check", "--identifier", identifier, "--json", *more)
    return json.loads(old.ok(*arguments, answer=f"{password}\n"))


def test_a_walk_shows_who_was_asked_and_what_comes_next(old: Shell) -> None:
    load(old, f"c1,remote,{hashed('s')},r@old.example,Rosa,,")
    found = walk(old, "remote", "s")
    assert [(one["source"], one["answer"]) for one in found["asked"]] == [
        ("portail", "unknown"),
        ("copy", "match"),
    ]
    assert found["next"].startswith("a new case")
    assert found["person"]["key"] == "c1"
    assert found["person"]["email"] == "r•••@o•••.example"
    assert found["person"]["given_name"] == "R•••"
    assert walk(old, "remote", "s", "--show")["person"]["given_name"] == "Rosa"


@pytest.mark.parametrize(
    ("identifier", "password", "answer", "then"),
    [
        ("jeanne", "wrong", "mismatch", "refused"),
        ("jeanne", "", "unknown", "refused"),
        (LOCKED, PASSWORD, "match", "locked"),
        (MUST_CHANGE, PASSWORD, "match", "change the password"),
        ("nobody", PASSWORD, "unknown", "refused"),
    ],
)
def test_a_walk_ends_as_the_sign_in_would(
    old: Shell, identifier: str, password: str, answer: str, then: str
) -> None:
    found = walk(old, identifier, password)
    assert found["asked"][0]["answer"] == answer
    assert then in found["next"]


def test_a_walk_writes_nothing_but_the_look_and_counts_no_try(old: Shell) -> None:
    load(old, f"c1,remote,{hashed('s')},,,,")
    before = rows()
    for password in ("wrong", "wrong", PASSWORD):
        walk(old, "jeanne", password)
    walk(old, "remote", "s")
    assert rows() == {**before, "audit_event": before["audit_event"] + 4}


def test_a_walk_meets_cases_claims_and_addresses_that_are_taken(old: Shell) -> None:
    load(
        old,
        f"c1,remote,{hashed('s')},jeanne@example.ch,,,",
        f"c2,other,{hashed('s')},,,,",
    )
    sub = add("jeanne@example.ch")
    assert walk(old, "JEANNE@example.ch")["account"] == sub
    assert walk(old, "JEANNE@example.ch")["asked"] == []
    assert sub in walk(old, "remote", "s")["conflict"]
    with database_only(), transaction():
        known = cases.Known(source="copy", key="c1", profile=Profile())
        reference = cases.open_or_resume(known).reference
        holder = db.session.scalar(select(Account.id))
        identity.claim(identity.meet("copy", "c2").id, holder)
    resumed = walk(old, "remote", "s")
    assert (resumed["case"], resumed["next"]) == (reference, "the case that is under way goes on")
    claimed = walk(old, "other", "s")
    assert claimed["asked"][-1]["answer"] == "claimed"
    assert (claimed["account"], claimed["person"]) == (sub, None)


@pytest.mark.parametrize(
    ("proof", "email", "then"),
    [
        ("contact", "r@old.example", "a code goes to the contact on record"),
        ("contact", "", "sent to support"),
        ("invite", "", "asked for an invitation"),
    ],
)
def test_a_walk_says_what_a_source_asks_for_besides(
    old: Shell, proof: str, email: str, then: str
) -> None:
    with (old.home / "sources.toml").open("a") as listing:
        listing.write(f'proof = "{proof}"\n')
    load(old, f"c1,remote,{hashed('s')},{email},,,")
    assert then in walk(old, "remote", "s")["next"]
    problems = old.json("legacy", "audit", "copy")["problems"]
    assert problems["no contact"] == (proof == "contact" and not email)


def test_a_paused_campaign_asks_nobody_and_says_so(old: Shell) -> None:
    old.ok("campaign", "pause", "--source", "portail", "--reason", "test")
    assert walk(old, "jeanne")["asked"][0]["answer"] == "not asked: shut by the campaign"
    assert old.json("legacy", "check")[0]["state"] == "shut by the campaign"


def test_the_password_is_neither_shown_nor_kept(old: Shell) -> None:
    result = old.run("legacy", "check", "--identifier", "jeanne", answer=f"{PASSWORD}\n")
    assert PASSWORD not in result.output
    assert all(PASSWORD not in str(event) for event in events())


def test_escapes_in_old_data_do_nothing_to_the_terminal(old: Shell) -> None:
    load(old, f"\x1b[2J,evil,{hashed('s')},,\x1b]0;x,,")
    arguments = ("legacy", "check", "--identifier", "evil", "--show")
    assert "\x1b" not in old.run(*arguments, answer="s\n").output
    store = create_engine(f"sqlite:///{old.home}/portail.db")
    with store.begin() as connection:
        connection.execute(text("UPDATE users SET password = :bad"), {"bad": "\x1b[2J"})
    store.dispose()
    details = old.home / "details"
    assert "\x1b" not in old.ok("legacy", "audit", "copy", "--details", str(details))
    assert "\x1b" not in details.read_text()


def test_an_audit_counts_what_would_keep_people_from_coming(old: Shell) -> None:
    good = hashed("s")
    load(
        old,
        *(f"1,anna,{good},a@example.ch,Anna,,", f"2,ANNA,{good},nobody,,12,1"),
        *("3,luc,,,,,", f"4,rosa,{good},a@example.ch,Rosa,079 123 45 67,"),
    )
    details = old.home / "details.jsonl"
    found = old.json("legacy", "audit", "copy", "--details", str(details))
    problems = {name: count for name, count in found["problems"].items() if count}
    assert problems == {
        "identifier twice": 2,
        "no password hash": 1,
        "invalid address": 1,
        "shared address": 2,
        "invalid phone": 1,
    }
    assert (found["rows"], found["locked"], found["shared_addresses"]) == (4, 1, {"2": 1})
    told = [json.loads(line) for line in details.read_text().splitlines()]
    assert {one["key"] for one in told if one["problem"] == "identifier twice"} == {"1", "2"}
    assert good not in details.read_text()
    assert stat.S_IMODE(details.stat().st_mode) == 0o600
    readable = old.ok("legacy", "audit", "copy")
    assert "identifier twice" in readable
    assert "md5-salted" in readable


def test_a_strict_audit_fails_where_anything_is_wrong(old: Shell) -> None:
    assert old.run("legacy", "audit", "portail", "--strict").exit_code == 0
    load(old, "3,luc,,,,,")
    assert old.run("legacy", "audit", "copy").exit_code == 0
    assert old.run("legacy", "audit", "copy", "--strict").exit_code == 1


def test_what_cannot_be_listed_says_what_to_do(old: Shell) -> None:
    listing = old.home / "sources.toml"
    listing.write_text(listing.read_text().replace(LIST, "[source.columns]"))
    assert "give it `list`" in old.refused("legacy", "audit", "portail")
    assert old.json("legacy", "check", "portail")[0]["rows"] is None


def test_a_list_that_is_wrong_is_one_line(old: Shell) -> None:
    listing = old.home / "sources.toml"
    listing.write_text(listing.read_text().replace('FROM users"\n[', 'FROM nowhere"\n['))
    for command in (("audit", "portail"), ("check",)):
        assert "no such table" in old.refused("legacy", *command)


def test_an_audit_of_a_large_copy_is_read_in_pieces(old: Shell) -> None:
    people = [f"{n},u{n},{hashed('s')},p{n}@example.ch,,," for n in range(3000)]
    load(old, *people)
    assert old.json("legacy", "audit", "copy")["rows"] == 3000


def test_a_folder_is_no_file_for_details(old: Shell) -> None:
    assert "cannot write" in old.refused("legacy", "audit", "copy", "--details", str(Path.cwd()))
