"""`idp legacy import`: a copy of an old system, loaded as often as one likes."""

import json
import os
import stat
from pathlib import Path

import pytest
from sqlalchemy import select

from bench import legacy_import as bench
from idp.cli.common import database_only
from idp.extensions import db, transaction
from idp.legacy import identity
from idp.legacy.copies import LegacyLoad
from tests.cli.conftest import Shell
from tests.cli.copies import SECRET, counts, person, rows, write
from tests.cli.record import events
from tests.cli.test_users import add


def test_rows_are_loaded_once_and_changed_ones_again(old: Shell) -> None:
    file = write(old.home, person(1), person(2, mail="p@old.example", born="1950-03-14"))
    load = ("legacy", "import", "portail", file, "--json")
    assert counts(old.ok(*load)) == {"created": 2}
    before = {key: (row.id, row.loaded_at) for key, row in rows().items()}
    assert counts(old.ok(*load)) == {"unchanged": 2}
    assert {key: (row.id, row.loaded_at) for key, row in rows().items()} == before
    write(old.home, person(1), person(2, mail="new@old.example"), person(3))
    assert counts(old.ok(*load)) == {"created": 1, "changed": 1, "unchanged": 1}
    assert rows()["2"].email == "new@old.example"
    assert rows()["2"].profile == {}


def test_the_loaded_may_sign_in_and_the_event_tells_who_loaded(old: Shell) -> None:
    old.ok("legacy", "import", "portail", write(old.home, person(1)))
    (event,) = events("rows_loaded")
    assert event["source"] == "portail"
    assert event["counts"].startswith("created=1 changed=0")
    assert event["finished"] is True
    assert event["actor"].startswith("os:")


def test_bad_lines_are_told_and_all_others_loaded(old: Shell) -> None:
    file = write(
        old.home,
        *(person(1), person(2, id=""), person(3, login="x" * 300), person(4, mail="a\0b")),
        *(person(1, login="again"), person(5, born="14.03.1950")),
    )
    with Path(file).open("a") as more:
        more.write("6,too,few\n")
    result = old.run("legacy", "import", "portail", file, "--rejects", "bad.jsonl", "--json")
    assert result.exit_code == 1
    assert counts(result.stdout) == {"created": 2, "refused": 5, "undated": 1}
    assert set(rows()) == {"1", "5"}
    told = [json.loads(line) for line in (old.home / "bad.jsonl").read_text().splitlines()]
    assert [(one["line"], one["kept"]) for one in told] == [
        *((3, False), (4, False), (5, False), (6, False), (7, True), (8, False)),
    ]
    assert told[3]["why"] == "the same key as line 2"
    assert "line 3: no key" in result.stderr
    assert "line 7 (key 5): born is no date" in result.stderr


def test_neither_hashes_nor_terminal_escapes_reach_the_terminal_or_the_rejects(old: Shell) -> None:
    file = write(
        old.home,
        person(1, id="\x1b[2J1", hash=f"\x1b]0;{SECRET}" + "x" * 3000),
        person(2, id="\x1b[2J2", login="", hash="$(reboot)"),
    )
    with Path(file).open("a") as more:
        more.write(f'3,u3,"{SECRET}"x,,,\n')
    result = old.run("legacy", "import", "portail", file, "--rejects", "bad.jsonl")
    assert result.exit_code == 1
    for text in (result.output, (old.home / "bad.jsonl").read_text()):
        assert "\x1b" not in text
        assert SECRET not in text
        assert "reboot" not in text


def test_the_rejects_are_for_their_owner_alone(old: Shell) -> None:
    open_to_all = old.home / "bad.jsonl"
    open_to_all.write_text("old")
    open_to_all.chmod(0o644)
    file = write(old.home, person(1, id=""))
    old.run("legacy", "import", "portail", file, "--rejects", "bad.jsonl")
    assert stat.S_IMODE(open_to_all.stat().st_mode) == 0o600
    assert "old" not in open_to_all.read_text()


def test_nothing_is_written_over_that_must_not_be(old: Shell) -> None:
    file = write(old.home, person(1, id=""))
    (old.home / "link").symlink_to(file)
    os.mkfifo(old.home / "pipe")
    for name in (file, "link", ".", "pipe"):
        old.refused("legacy", "import", "portail", file, "--rejects", name)
    assert "login" in Path(file).read_text()


def test_a_dry_run_says_what_would_happen_and_writes_nothing(old: Shell) -> None:
    file = write(old.home, *(person(n % 5) for n in range(10)), person(7, login=""))
    result = old.run(
        "legacy", "import", "portail", file, "--dry-run", "--json", "--batch", "2", "--rejects", "r"
    )
    said = json.loads(result.stdout)
    assert (said["created"], said["refused"], said["ignored"]) == (5, 6, ["unused"])
    assert rows() == {}
    assert events("rows_loaded") == []
    with database_only():
        assert db.session.scalar(select(LegacyLoad)) is None


def test_claimed_rows_stay_as_they_are(old: Shell) -> None:
    file = write(old.home, person(1), person(2))
    old.ok("legacy", "import", "portail", file)
    add("jeanne@example.ch")
    with database_only(), transaction():
        holder = db.session.scalar(select(identity.LegacyIdentity.account_id))
        identity.claim(identity.meet("portail", "1").id, holder)
    write(old.home, person(1, mail="new@old.example"), person(2))
    assert counts(old.ok("legacy", "import", "portail", file, "--json")) == {
        "unchanged": 1,
        "claimed": 1,
    }
    assert rows()["1"].password_hash == rows()["1"].email == ""


def test_who_is_gone_from_the_old_system_can_be_removed(old: Shell) -> None:
    old.ok("legacy", "import", "portail", write(old.home, person(1), person(2)))
    old.ok("legacy", "import", "other", write(old.home, person(1)), *mapped())
    file = write(old.home, person(2))
    result = old.run("legacy", "import", "portail", file, "--json")
    assert counts(result.stdout) == {"unchanged": 1, "left_over": 1}
    assert "--remove-missing" in result.stderr
    load = ("legacy", "import", "portail", file, "--remove-missing")
    old.ok(*load)
    assert sorted(row.source + row.key for row in rows().values()) == ["other1", "portail2"]
    write(old.home, person(3, id=""))
    assert "nobody" not in old.run(*load).stderr
    assert "portail2" in {row.source + row.key for row in rows().values()}


def test_a_file_that_was_cut_short_does_not_remove_most_people(old: Shell) -> None:
    old.ok("legacy", "import", "portail", write(old.home, *(person(n) for n in range(5))))
    load = ("legacy", "import", "portail", write(old.home, person(2)), "--remove-missing")
    assert "4 of 5 rows would go" in old.refused(*load)
    assert len(rows()) == 5
    old.ok(*load, "--yes")
    assert list(rows()) == ["2"]


def mapped() -> tuple[str, ...]:
    pairs = ("key=id", "identifier=login", "password_hash=hash")
    return tuple(part for pair in pairs for part in ("--map", pair))


def test_json_lines_and_other_delimiters_and_encodings_are_read(old: Shell) -> None:
    lines = old.home / "people.jsonl"
    lines.write_text('{"id": 7, "login": "u7", "hash": null, "locked": true}\n')
    old.ok("legacy", "import", "portail", str(lines))
    table = old.home / "people.txt"
    table.write_bytes("id\tlogin\tgiven_name\n8\tu8\tÉlodie\n".encode("cp1252"))
    how = ("--delimiter", "tab", "--encoding", "cp1252")
    columns = ("--map", "key=id", "--map", "identifier=login")
    old.ok("legacy", "import", "other", str(table), *how, *columns)
    assert rows()["7"].locked
    assert rows()["8"].profile == {"given_name": "Élodie"}


@pytest.mark.parametrize(
    ("arguments", "said", "code"),
    [
        (("nobody", "people.csv"), "IDP_LEGACY_SOURCES has: portail, other", 1),
        (("portail", "none.csv"), "cannot read none.csv", 1),
        (("portail", "."), "no ordinary file", 1),
        (("portail", "pipe"), "no ordinary file", 1),
        (("other", "people.csv"), "has no column identifier (identifier), key (key)", 1),
        (("portail", "people.csv", "--map", "email=\x1b[2J"), "has no column", 1),
        (("portail", "people.csv", "--delimiter", ";"), "has no column", 1),
        (("portail", "people.csv", "--map", "email"), "email=MAIL_ADDRESS", 2),
        (("portail", "people.csv", "--delimiter", ";;"), "one character", 2),
        (("portail", "people.csv", "--encoding", "base64"), "try utf-8", 2),
        (("portail", "people.csv", "--encoding", "klingon"), "try utf-8", 2),
    ],
)
def test_a_mistake_is_one_line_that_says_what_to_do(
    old: Shell, arguments: tuple[str, ...], said: str, code: int
) -> None:
    os.mkfifo(old.home / "pipe")
    write(old.home, person(1))
    line = old.refused("legacy", "import", *arguments, code=code)
    assert said in line
    assert "\x1b" not in line


def test_a_file_without_a_header_shows_nobodys_row(old: Shell) -> None:
    (old.home / "people.csv").write_text("jeanne@example.ch,u1,$2b$12$secret\n")
    line = old.refused("legacy", "import", "portail", "people.csv")
    assert "looks like a person" in line
    assert "jeanne" not in line
    assert "secret" not in line


def test_a_copy_can_be_forgotten(old: Shell) -> None:
    old.ok("legacy", "import", "portail", write(old.home, *map(person, range(3))))
    assert "Delete 3 rows?" in old.run("legacy", "forget", "portail", answer="n\n").output
    assert len(rows()) == 3
    old.ok("legacy", "forget", "portail", "--yes")
    assert rows() == {}
    assert "no rows" in old.refused("legacy", "forget", "portail", "--yes")
    assert events("rows_removed")[-1]["count"] == 3


def test_a_large_file_is_loaded_quickly_and_in_bounded_memory(tmp_path: Path, shell: Shell) -> None:
    """A tenth of what `python -m bench.legacy_import` measures; the floor leaves room for busy machines."""
    url = os.environ["IDP_DATABASE_URL"]
    first, again = bench.measure(tmp_path, url, 60_000)
    assert first.mebibytes < 200
    assert again.mebibytes < 200
    assert first.rate > 1000
