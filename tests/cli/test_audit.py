"""`idp audit`, and the trace that every command of an administrator leaves."""

import json
import os
import subprocess
import sys
from datetime import timedelta

import pytest

from idp import clock
from tests.cli.conftest import Shell
from tests.cli.record import ME, ROOT, START, events, leave, seal
from tests.cli.test_users import add

CLIENT = ("--name", "Portail", "--redirect-uri", "https://portal.example/cb", "--id", "portal")


# -- What administrators do --


def test_what_is_done_to_clients_is_told_with_who_did_it(ready: Shell) -> None:
    ready.ok("clients", "create", *CLIENT)
    ready.ok("clients", "update", "portal", "--name", "Autre", "--scope", "openid")
    secret = ready.ok("clients", "rotate-secret", "portal", "--overlap-hours", "2").strip()
    ready.ok("clients", "delete", "portal", "--yes")
    about = {"client": "portal", "account": None, "actor": ME}
    assert events("client_created") == [about]
    assert events("client_updated") == [{**about, "fields": "client_name scope"}]
    assert events("client_secret_rotated") == [{**about, "overlap_hours": 2}]
    assert events("client_deleted") == [about]
    assert secret not in json.dumps(events())


def test_what_is_refused_is_not_told_as_done(ready: Shell) -> None:
    ready.refused("clients", "delete", "nobody", "--yes")
    ready.refused("keys", "retire", "nobody", "--yes")
    assert events("client_deleted") == events("signing_key_retired") == []


def test_what_is_done_to_keys_is_told_with_who_did_it(ready: Shell) -> None:
    first = ready.json("keys", "list")[0]
    ready.ok("keys", "rotate", "--alg", first["alg"])
    ready.ok("keys", "retire", first["kid"], "--yes")
    assert [event["actor"] for event in events("key_encryption_key_created")] == [ME]
    assert len(events("signing_key_created")) == 2
    assert {event["actor"] for event in events("signing_key_created")} == {ME}
    fresh = next(
        key["kid"]
        for key in ready.json("keys", "list")
        if (key["alg"], key["state"]) == (first["alg"], "announced")
    )
    assert [event["kid"] for event in events("signing_key_rotated")] == [fresh]
    assert [event["kid"] for event in events("signing_key_retired")] == [first["kid"]]


def test_a_purge_is_told_when_something_went(ready: Shell) -> None:
    ready.ok("purge")
    assert events("purged") == []
    leave({"at": clock.now() - timedelta(days=500)})
    ready.ok("purge")
    (told,) = events("purged")
    assert (told["actor"], told["gone"]) == (ME, "audit_event=1")


# -- What administrators read --


@pytest.mark.parametrize(
    ("command", "sought"),
    [
        (("users", "list"), ""),
        (("users", "list", "--email", "jeanne"), "email=j•••"),
        (("users", "list", "--email", "jeanne@example.ch"), "email=j•••@e•••.ch"),
        (("audit", "list", "--event", "x", "--since", "2026-01-02"), None),
    ],
)
def test_reading_is_told_masked_with_who_read_and_how_much(
    ready: Shell, command: tuple[str, ...], sought: str | None
) -> None:
    add("jeanne@example.ch")
    ready.ok(*command)
    (told,) = events("looked_at")
    assert told["actor"] == ME
    assert told["what"] == " ".join(command[:2])
    assert told["found"] == (0 if command[0] == "audit" else 1)
    assert told["sought"] == (
        "event=x since=2026-01-02 00:00:00+00:00" if sought is None else sought
    )
    assert "jeanne" not in json.dumps(events())


def test_a_look_at_one_account_is_told_to_be_about_it(ready: Shell) -> None:
    sub = add("jeanne@example.ch")
    ready.ok("users", "show", "jeanne@example.ch")
    ready.refused("users", "show", "paul@example.ch")
    ready.ok("audit", "list", "--account", "jeanne@example.ch")
    ready.refused("audit", "list", "--account", "paul@example.ch")
    told = events("looked_at")
    assert [(one["account"], one["found"]) for one in told] == [
        *((sub, 1), (None, 0), (sub, 1), (None, 0))
    ]
    assert told[1]["sought"] == told[3]["sought"] == "who=p•••@e•••.ch"


def test_behind_sudo_both_logins_are_told(ready: Shell) -> None:
    ready.set("SUDO_USER", "alice\x1b[2J")
    ready.ok("users", "list")
    assert events("looked_at")[0]["actor"] == f"os:alice?[2J as {ME.removeprefix('os:')}"


def test_an_export_is_told_before_its_first_line(ready: Shell) -> None:
    leave(*({"account": f"sub-{number}"} for number in range(3000)))
    process = subprocess.Popen(
        [sys.executable, "-c", START, "audit", "export"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
    )
    assert process.stdout
    process.stdout.readline()
    process.stdout.close()
    process.wait(20)
    (told,) = events("looked_at")
    assert told["what"] == "audit export"
    assert told["found"] >= 3000


# -- Looking --


@pytest.mark.parametrize(
    ("filters", "days"),
    [
        (("--account", "sub-a"), ["03", "01"]),
        (("--client", "one"), ["02", "01"]),
        (("--event", "frozen"), ["02"]),
        (("--client", "one", "--account", "sub-b"), ["02"]),
        (("--since", "2026-03-02T11:00", "--until", "2026-03-03T10:00"), ["02"]),
        (("--since", "2026-03-02T12:00+01:00", "--until", "2026-03-02T12:01+01:00"), ["02"]),
        (("--account", "sub-a' OR 1=1 --"), []),
        (("--client", "%"), []),
    ],
)
def test_events_are_found_newest_first(
    busy: Shell, filters: tuple[str, ...], days: list[str]
) -> None:
    found = busy.json("audit", "list", *filters)
    assert [event["at"][8:10] for event in found] == days


def test_who_was_affected_between_two_moments(busy: Shell) -> None:
    period = ("--since", "2026-03-02", "--until", "2026-03-03")
    (one,) = busy.json("audit", "list", "--accounts-only", *period)
    assert (one["account"], one["events"]) == ("sub-b", 2)
    assert one["first"] == "2026-03-02T10:00:00+00:00"
    assert one["last"] == "2026-03-02T11:00:00+00:00"


def test_a_name_that_no_event_has_is_told(busy: Shell) -> None:
    """It must not read as "nothing happened"; and a program reads an empty list."""
    done = busy.run("audit", "list", "--event", "sign_in_faild", "--json")
    assert (done.exit_code, json.loads(done.stdout)) == (0, [])
    assert "No event sign_in_faild has ever happened; there were " in done.stderr
    assert "signed_in" in done.stderr


def test_a_reference_that_no_event_has_may_be_in_the_log(busy: Shell) -> None:
    said = busy.run("audit", "list", "--reference", "1A2B3C4D")
    assert "in the log of the server" in said.stderr
    assert said.exit_code == 0


def test_people_see_a_table_and_are_told_that_there_is_more(busy: Shell) -> None:
    result = busy.run("audit", "list", "--limit", "2", "--until", "2026-04-01")
    assert "account=sub-a" in result.stdout
    assert "2026-03-03" in result.stdout
    assert "2026-03-01" not in result.stdout
    assert "more than 2" in result.stderr
    assert busy.run("audit", "list", "--limit", "4", "--until", "2026-04-01").stderr == ""


def test_an_export_is_what_the_worker_writes(
    busy: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    busy.set("IDP_AUDIT_STDOUT", "events")
    seal()
    worker = [line for line in capsys.readouterr().out.splitlines() if "audit_event" in line]
    assert len(worker) == 4 + 3, "and three keys"
    assert busy.ok("audit", "export").splitlines()[:7] == worker
    period = ("--since", "2026-03-02", "--until", "2026-03-03")
    assert busy.ok("audit", "export", *period).splitlines() == [
        line for line in worker if '"at":"2026-03-02' in line
    ]


def test_hostile_text_in_an_event_moves_no_terminal_and_forges_no_line(ready: Shell) -> None:
    leave({"actor": "x\x1b[2J\n{}", "details": {"a": "\u2028\x9b2J"}})
    shown = ready.ok("audit", "list", "--event", "signed_in")
    assert "\x1b" not in shown
    assert "\x9b" not in shown
    exported = ready.ok("audit", "export").splitlines()
    assert [json.loads(line)["type"] for line in exported] == ["audit_event"] * len(exported)


@pytest.mark.parametrize(
    "wrong",
    [
        ("list", "--since", "yesterday"),
        ("export", "--until", "32.1.2026"),
        ("verify", "--head", "12"),
        ("verify", "--head", "x:" + "a" * 64),
        ("verify", "--head", "1:abc"),
        ("list", "--limit", "0"),
    ],
)
def test_wrong_usage_is_one_line(ready: Shell, wrong: tuple[str, ...]) -> None:
    ready.refused("audit", *wrong, code=2)
