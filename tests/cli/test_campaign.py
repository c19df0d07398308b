"""`idp campaign`: the whole migration, seen and steered by an operator."""

import re
from datetime import timedelta

import pytest

from idp import clock
from idp.cli.common import database_only
from tests.cli.conftest import Shell
from tests.cli.test_check import findings
from tests.support.campaign import came_to, fill
from tests.support.people import write_store
from tests.support.report import HOSTILE

SAMPLE = r'seuil_campaign_\w+(\{(\w+="([^"\\]|\\["\\n])*",?)*\})? [\d.e+-]+'


@pytest.fixture
def sourced(ready: Shell) -> Shell:
    """A deployment with one old system."""
    ready.set("IDP_LEGACY_SOURCES", str(write_store(ready.home)))
    return ready


def events(shell: Shell, name: str) -> list[dict]:
    return [row["details"] for row in shell.json("audit", "list", "--event", name)]


def test_the_door_is_paused_and_resumed_with_a_reason(sourced: Shell) -> None:
    said = sourced.ok("campaign", "pause", "--reason", "database moves")
    assert "old identifiers of all sources are refused" in said
    said = sourced.ok("campaign", "resume", "--reason", "moved")
    assert "are accepted" in said
    assert events(sourced, "campaign_paused") == [{"source": "all", "why": "database moves"}]
    assert events(sourced, "campaign_resumed") == [{"source": "all", "why": "moved"}]


def test_the_end_of_a_pause_is_read_by_the_deployments_clock_and_said(sourced: Shell) -> None:
    sourced.set("IDP_TIMEZONE", "Europe/Zurich")
    pause = ("campaign", "pause", "--reason", "x", "--until")
    assert "ends at 2087-01-31 14:00 (UTC+0100)" in sourced.ok(*pause, "2087-01-31T14:00")
    assert "ends at 2087-01-31 15:00 (UTC+0100)" in sourced.ok(*pause, "2087-01-31T14:00Z")
    assert "has passed" in sourced.refused(*pause, "2026-01-31T14:00")


def test_a_resumed_door_says_what_is_still_shut(sourced: Shell) -> None:
    sourced.ok("campaign", "pause", "--reason", "all")
    sourced.ok("campaign", "pause", "--source", "portail", "--reason", "one")
    assert "Still shut" in sourced.ok("campaign", "resume", "--reason", "all over")


def test_what_is_not_paused_is_not_resumed(sourced: Shell) -> None:
    assert "is not paused" in sourced.refused("campaign", "resume", "--reason", "x")
    assert events(sourced, "campaign_resumed") == []


def test_a_source_that_nobody_knows_is_not_paused(sourced: Shell) -> None:
    said = sourced.refused("campaign", "pause", "--source", "portal", "--reason", "x")
    assert "there are: portail" in said


def test_a_reason_is_asked(sourced: Shell) -> None:
    assert sourced.run("campaign", "pause").exit_code == 2


def work(shell: Shell) -> None:
    """Four people of two cantons: two are done, one gave an address, one gave up long ago."""
    now = clock.now()
    with database_only():
        fill(
            [
                came_to(5, now - timedelta(days=1), group_name="VD"),
                came_to(5, now - timedelta(days=2), group_name="GE"),
                came_to(1, now - timedelta(days=5), group_name="VD"),
                came_to(2, now - timedelta(days=40), expires_at=now, group_name="VD"),
            ]
        )
    shell.ok("purge")


def test_a_campaign_that_has_not_begun_has_a_status(sourced: Shell) -> None:
    said = sourced.ok("campaign", "status")
    assert "nobody is done" in said
    assert "cannot be said" in said
    assert sourced.json("campaign", "status")["whole"]["started"] == 0


def test_the_status_counts_steps_by_source_and_group(sourced: Shell) -> None:
    work(sourced)
    record = sourced.json("campaign", "status")
    whole, (portal,) = record["whole"], record["sources"]
    names = ("started", "code_sent", "proven", "done", "abandoned", "waiting")
    assert [whole[name] for name in names] == [4, 4, 3, 2, 1, 1]
    assert [(one["group"], one["done"]) for one in portal["groups"]] == [("GE", 1), ("VD", 1)]
    assert whole["median_seconds"] == 300
    assert whole["no_forecast"] == "unknown"
    values = {"reached": 4, "share": 100.0, "lost": 0, "lost_share": 0.0}
    assert whole["steps"][1] == {"name": "code_sent", **values}
    assert sum(day["done"] for day in record["days"]) == 2


def test_the_status_is_a_table_for_people(sourced: Shell) -> None:
    work(sourced)
    said = sourced.ok("campaign", "status")
    for word in ("portail", "VD", "median time", "5 min 0 s", "a day over the last 14 days"):
        assert word in said


def test_a_group_cannot_move_the_terminal(sourced: Shell) -> None:
    with database_only():
        fill([came_to(5, clock.now(), group_name="\x1b[2J[red]")])
    assert "\x1b[2J" not in sourced.ok("campaign", "status")
    assert "[red]" in sourced.ok("campaign", "status")


def test_the_page_is_complete_in_itself_and_in_the_language_asked_for(sourced: Shell) -> None:
    work(sourced)
    assert sourced.ok("campaign", "status", "--html", "report.html") == ""
    page = (sourced.home / "report.html").read_text()
    assert "Migration des comptes" in page
    assert not re.search(r"<script|src=|href=|url\(|@import", page)
    sourced.ok("campaign", "status", "--html", "report.html", "--language", "en")
    assert "Accounts opened" in (sourced.home / "report.html").read_text()


def test_names_cannot_write_into_the_page_or_the_figures(sourced: Shell) -> None:
    with database_only():
        fill([came_to(5, clock.now(), group_name=HOSTILE + '\\"\n')], source=HOSTILE)
    sourced.ok("campaign", "status", "--html", "page.html", "--prometheus", "seuil.prom")
    page = (sourced.home / "page.html").read_text()
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page
    samples = [
        line for line in (sourced.home / "seuil.prom").read_text().splitlines() if line[0] != "#"
    ]
    assert all(re.fullmatch(SAMPLE, line) for line in samples), samples


def test_the_figures_for_prometheus(sourced: Shell) -> None:
    work(sourced)
    sourced.ok("campaign", "pause", "--reason", "x")
    assert sourced.ok("campaign", "status", "--prometheus", "seuil.prom") == ""
    text = (sourced.home / "seuil.prom").read_text()
    assert 'seuil_campaign_cases{source="portail",group="VD",step="started"} 3\n' in text
    assert 'seuil_campaign_cases{source="portail",group="VD",step="abandoned"} 1\n' in text
    assert 'seuil_campaign_median_seconds{source="portail"} 300\n' in text
    assert 'seuil_campaign_paused{source="portail"} 1\n' in text
    assert "known{" not in text, "what is not known has no sample"
    kinds = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
    assert len(kinds) == len(set(kinds)) >= 5
    assert text.endswith("\n")


def test_a_file_is_whole_or_not_there_and_can_be_read_by_others(sourced: Shell) -> None:
    target = sourced.home / "figures" / "seuil.prom"
    said = sourced.refused("campaign", "status", "--prometheus", str(target))
    assert "cannot write" in said
    target.parent.mkdir()
    sourced.ok("campaign", "status", "--prometheus", str(target))
    assert [path.name for path in target.parent.iterdir()] == ["seuil.prom"]
    assert target.stat().st_mode & 0o777 == 0o644


def test_reminders_are_written_once_and_leave_an_event(sourced: Shell) -> None:
    began = clock.now() - timedelta(days=3)
    proven = {"reminder_email": "a@example.ch", "updated_at": began}
    with database_only():
        fill([came_to(2, began, **proven), came_to(1, began)])
    assert "1 case waits" in sourced.ok("campaign", "remind", "--dry-run")
    assert events(sourced, "reminders_written") == []
    assert "1 reminder was left" in sourced.ok("campaign", "remind", "--limit", "5")
    assert "0 reminders were left" in sourced.ok("campaign", "remind")
    assert "0 cases wait" in sourced.ok("campaign", "remind", "--dry-run")
    assert events(sourced, "reminders_written") == [{"count": 1}]
    (mail,) = sourced.json("outbox", "list")
    assert mail["recipient"] == "a•••@e•••.ch"


def with_option(shell: Shell, line: str) -> None:
    """Write one more line about the old system."""
    listing = shell.home / "sources.toml"
    listing.write_text(listing.read_text().replace("type =", f"{line}\ntype =", 1))


def test_a_pause_that_was_forgotten_is_a_finding(sourced: Shell) -> None:
    assert "campaign" not in findings(sourced, code=0)
    sourced.ok("campaign", "pause", "--reason", "database moves")
    ((level, message),) = findings(sourced, code=0)["campaign"]
    assert level == "warning"
    assert "every source is paused" in message
    assert "database moves" in message


def test_an_old_system_that_has_closed_may_be_switched_off(sourced: Shell) -> None:
    (sourced.home / "portail.db").unlink()
    assert findings(sourced, code=1)["legacy"][0][0] == "error"
    with_option(sourced, "closes = 2020-01-31")
    ((level, message),) = findings(sourced, code=0)["legacy"]
    assert level == "ok"
    assert "may be switched off" in message
    status = sourced.json("campaign", "status")
    assert (status["sources"][0]["closes"], status["closed"]) == ("2020-01-31", ["portail"])
    assert re.search(r"^closed +portail$", sourced.ok("campaign", "status"), re.MULTILINE)


def test_the_file_can_say_how_many_people_there_are(sourced: Shell) -> None:
    with_option(sourced, "known = 12000")
    work(sourced)
    whole = sourced.json("campaign", "status")["whole"]
    assert (whole["known"], whole["remaining"]) == (12000, 11998)


def test_a_last_day_before_the_first_is_refused(sourced: Shell) -> None:
    with_option(sourced, "opens = 2027-02-01\ncloses = 2027-01-31")
    assert "is before the day it opens" in sourced.refused("campaign", "status")
