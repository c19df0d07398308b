"""docs/privacy.md is whole and true: every column is on it, and every period is kept by the purge."""

import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import TypeAdapter
from sqlalchemy import Table, func, select

from config import Settings
from idp import clock, housekeeping
from idp.extensions import Base, db, settings, transaction
from tests.support.rows import FAR, make
from tests.support.schema import MODELS_LOADED

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "privacy.md").read_text()
LASTS = "as long as the account"
MAY_LAST = {"account", "legacy_identity, claimed"}
UNTIL_TOLD = {"legacy_row": "`idp legacy forget`"}
"""What an administrator deletes with a command, at the end of a migration."""
STATES = {
    "migration_case, finished": {"expires_at": FAR},
}
"""Columns, besides the one that a period is counted from, that make a row what the page calls it."""


@dataclass(frozen=True)
class Line:
    """One line of the first table: `until` as written."""

    name: str
    columns: tuple[str, ...]
    until: str
    set_by: str

    @property
    def table(self) -> Table:
        return Base.metadata.tables[self.name.partition(",")[0]]

    @property
    def period_text(self) -> re.Match[str] | None:
        """None: it lasts, or goes with another."""
        return re.fullmatch(r"`(\w+)`(?: \+ `(IDP_\w+|P\w+)`)?", self.until)

    @property
    def period(self) -> tuple[str, timedelta]:
        """The column that is counted from, and what is added."""
        found = self.period_text
        added = found[2] or "PT0S"
        option = added.removeprefix("IDP_").lower()
        given = getattr(settings, option) if added.startswith("IDP_") else duration(added)
        return found[1], given


def duration(text: str) -> timedelta:
    return TypeAdapter(timedelta).validate_python(text)


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def table_after(heading: str) -> list[list[str]]:
    """Rows of the Markdown table that has this first line."""
    lines = PAGE.splitlines()
    begin = lines.index(heading) + 2
    end = next(n for n in range(begin, len(lines) + 1) if not lines[n].startswith("|"))
    return [cells(line) for line in lines[begin:end]]


def names(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"`(\w+)`", text))


PERSONAL = [
    Line(row[0].replace("`", ""), names(row[1]), row[3], row[4])
    for row in table_after("| table | about a person | why | until | set by |")
]
OTHER = {names(row[0])[0]: names(row[1]) for row in table_after("| table | columns |")}
BY_NAME = pytest.mark.parametrize("line", PERSONAL, ids=lambda line: line.name)


def test_every_column_of_every_table_is_on_the_page():
    assert MODELS_LOADED
    listed = dict(OTHER)
    for line in PERSONAL:
        if not line.name.endswith((", unclaimed", ", finished")):
            assert line.table.name not in listed
            listed[line.table.name] = line.columns
    stored = {
        table.name: sorted(column.name for column in table.columns)
        for table in Base.metadata.sorted_tables
    }
    assert {name: sorted(columns) for name, columns in listed.items()} == stored


@BY_NAME
def test_every_line_has_a_period_or_says_why_not(app, line):
    if line.period_text:
        assert line.period[0] in line.table.columns
    elif line.name in UNTIL_TOLD:
        assert line.until == UNTIL_TOLD[line.name]
    elif line.until != LASTS:
        (other,) = names(line.until)
        cascades = [
            key.ondelete
            for column in line.table.columns
            for key in column.foreign_keys
            if key.column.table.name == other
        ]
        assert cascades == ["CASCADE"], "it goes with that one"
    else:
        assert line.name in MAY_LAST


@BY_NAME
def test_every_option_on_the_page_is_one(line):
    for option in re.findall(r"IDP_(\w+)", line.until + line.set_by):
        assert option.lower() in Settings.model_fields


def exists(table: Table, key) -> bool:
    (primary,) = table.primary_key.columns
    return bool(db.session.scalar(select(func.count()).select_from(table).where(primary == key)))


@pytest.mark.parametrize(
    "line", [line for line in PERSONAL if line.period_text], ids=lambda line: line.name
)
def test_what_is_over_is_gone_and_what_is_not_stays(app, line):
    column, added = line.period
    over, more = clock.now() - added, STATES.get(line.name, {})
    with transaction():
        old = make(line.table, **{column: over - timedelta(seconds=1)}, **more)
        young = make(line.table, **{column: over + timedelta(minutes=1)}, **more)
    housekeeping.purge()
    assert not exists(line.table, old)
    assert exists(line.table, young)


def test_an_account_and_its_claims_last(app):
    tables, then = Base.metadata.tables, clock.now() - timedelta(days=5000)
    with transaction():
        account = make(tables["account"], created_at=then, updated_at=then)
        claim = make(tables["legacy_identity"], account_id=account, created_at=then)
    housekeeping.purge()
    assert exists(tables["account"], account)
    assert exists(tables["legacy_identity"], claim)


def test_a_purged_session_takes_what_clients_call_it_along(app):
    tables = Base.metadata.tables
    with transaction():
        session = make(tables["browser_session"], expires_at=clock.now())
        sid = make(tables["client_session"], browser_session_id=session)
    housekeeping.purge()
    assert not exists(tables["client_session"], sid)


def test_the_cookies_on_the_page_are_those_that_are_set():
    source = "".join(path.read_text() for path in (ROOT / "idp" / "web").glob("*.py"))
    assert set(re.findall(r'"(seuil-(?:\w+))"', source)) == set(re.findall(r"cookie `(\S+)`", PAGE))
