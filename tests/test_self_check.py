"""docs/self-check.md leaves nothing out and names nothing that does not exist; so does SECURITY.md."""

import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "self-check.md").read_text()
SECURITY = (ROOT / "SECURITY.md").read_text()
VERDICTS = ("met", "partly", "not met", "n/a")
LEVELS = {"1", "2", "3", "must", "must not", "should", "should not", "recommended"}

ASVS = {
    "1.1": 2,
    "1.2": 10,
    "1.3": 12,
    "1.4": 3,
    "1.5": 3,
    "2.1": 3,
    "2.2": 3,
    "2.3": 5,
    "2.4": 2,
    "6.1": 3,
    "6.2": 12,
    "6.3": 8,
    "6.4": 6,
    "6.5": 8,
    "6.6": 4,
    "6.7": 2,
    "6.8": 4,
    "7.1": 3,
    "7.2": 4,
    "7.3": 2,
    "7.4": 5,
    "7.5": 3,
    "7.6": 2,
    "10.1": 2,
    "10.2": 3,
    "10.3": 5,
    "10.4": 16,
    "10.5": 5,
    "10.6": 2,
    "10.7": 3,
    "11.1": 4,
    "11.2": 5,
    "11.3": 5,
    "11.4": 4,
    "11.5": 2,
    "11.6": 2,
    "11.7": 2,
    "12.1": 5,
    "12.2": 2,
    "12.3": 5,
}
"""Requirements in each section of the chapters that are held (ASVS 5.0.0)."""
RFC_9700 = {"2.1": 5, "2.1.1": 8, "2.1.2": 1, "2.2.1": 1, "2.2.2": 1, "2.3": 3, "2.4": 1, "2.5": 2}
RFC_9700 |= {"2.6": 6}
"""Recommendations in each part of section 2, as we count them."""


def lines() -> list[list[str]]:
    """Cells of every line: id, level, asks, verdict, how, shown by."""
    rows = re.findall(r"^\| (\d[\d.]*\d(?:-\d+)?) \|(.*)\|$", PAGE, re.MULTILINE)
    return [[name, *(cell.strip() for cell in rest.split("|"))] for name, rest in rows]


LINES = lines()
EACH = pytest.mark.parametrize("line", LINES, ids=lambda line: line[0])


def test_no_requirement_is_left_out_or_said_twice():
    expected = [f"{part}.{n}" for part, count in ASVS.items() for n in range(1, count + 1)]
    expected += [f"{part}-{n}" for part, count in RFC_9700.items() for n in range(1, count + 1)]
    assert [line[0] for line in LINES] == expected


@EACH
def test_every_line_has_a_verdict_and_says_why(line):
    assert len(line) == 6
    _name, level, asks, verdict, how, shown = line
    assert level in LEVELS
    assert asks
    assert verdict in VERDICTS
    if verdict == "met":
        assert shown, "what is met is shown by a test"
    else:
        assert len(how) >= 3, "what is not met says why"
    if verdict == "n/a":
        assert not shown


@EACH
def test_every_test_that_a_line_names_exists(line):
    named = re.findall(r"`([^`]+)`", line[5])
    assert re.sub(r"`[^`]+`|\s", "", line[5]) == ""
    for name in named:
        path, _, function = name.partition("::")
        source = ROOT / "tests" / path
        assert source.is_file(), name
        assert f"def {function or 'test_'}" in source.read_text(), name


@pytest.mark.parametrize("text", [PAGE, SECURITY], ids=["self-check", "SECURITY"])
def test_every_link_leads_somewhere(text):
    folder = ROOT / "docs" if text is PAGE else ROOT
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        assert (folder / target).exists(), target


def test_every_threat_names_tests_that_exist():
    table = SECURITY.partition("| threat | control | test |")[2].partition("\n\n")[0]
    rows = [row.split("|") for row in table.splitlines() if row.startswith("| ")]
    assert len(rows) > 15
    for row in rows:
        named = re.findall(r"`([^`]+)`", row[-2])
        assert named, row
        for name in named:
            assert (ROOT / "tests" / name).is_file(), name


def counted() -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {}
    for line in LINES:
        chapter = "RFC 9700" if "-" in line[0] else f"ASVS V{line[0].partition('.')[0]}"
        found.setdefault(chapter, Counter())[line[3]] += 1
    return found


def test_the_totals_are_what_the_lines_say():
    totals = PAGE.partition("<!-- totals -->")[2].partition("<!-- end of totals -->")[0]
    written = list(totals.strip().splitlines()[2:])
    assert written == [
        f"| {chapter} | " + " | ".join(str(count[verdict]) for verdict in VERDICTS) + " |"
        for chapter, count in counted().items()
    ]
