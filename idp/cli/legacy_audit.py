"""`idp legacy audit`: what is in an old system, row by row, before anybody is asked to leave it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import rich_click as click
from sqlalchemy.exc import SQLAlchemyError

from idp.cli import clerk
from idp.cli.old_systems import named, old_systems
from idp.cli.output import json_option, show_rows, to_json
from idp.cli.private_files import Lines, lines_of
from idp.cli.progress import progress
from idp.errors import ConfigurationError
from idp.extensions import settings
from idp.legacy import survey as surveys
from idp.legacy.source import LegacySource, Listable, Proof, listable
from idp.legacy.survey import BARS_THE_WAY, OTHERS, Measure, Survey

_EVERY = 500
"""Rows between two looks at the clock."""


@click.command("audit")
@click.argument("source")
@click.option(
    "--details",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the keys of rows that have a problem there, a JSON object a line.",
)
@click.option("--strict", is_flag=True, help="Exit code 1 if there is any problem.")
@json_option
@click.pass_context
def audit_rows(
    ctx: click.Context, /, source: str, *, details: Path | None, strict: bool, as_json: bool
) -> None:
    """Read every row of an old system, and say what would keep people from coming.

    A `sql` source needs `list` in the file of sources: a SELECT of everybody, with the columns of `query`.
    """
    with old_systems(), lines_of(details, append=False) as lines:
        found = named(source)
        taken = _take(found, _demand_listable(found), lines)
        sought = {"source": source, "details": bool(details)}
        clerk.looked_at("legacy audit", taken.rows, sought)
    _show(taken, as_json=as_json)
    ctx.exit(1 if strict and not taken.sound else 0)


def _demand_listable(source: LegacySource) -> Listable:
    rows = listable(source)
    if rows is None:
        how = (
            "give it `list`, a SELECT of everybody"
            if source.options.type == "sql"
            else ("export it, and look at the file with `idp legacy import --dry-run`")
        )
        raise ConfigurationError(f"the rows of {source.options.name} cannot be listed: {how}")
    return rows


def _take(source: LegacySource, listed: Listable, lines: Lines) -> Survey:
    def detail(problem: str, key: str, number: int | None) -> None:
        together = {} if number is None else {"together": number}
        lines.write({"problem": problem, "key": key, **together})

    measure = Measure(
        scheme=getattr(source.options, "hash", "auto"),
        case_sensitive=getattr(source.options, "case_sensitive", False),
        region=settings.phone_region,
        countries=settings.sms_countries,
        reached=source.options.proof is Proof.CONTACT,
        named=source.options.type != "sql"
        or "identifier" in getattr(source.options, "columns", {}),
    )
    taken = Survey()
    try:
        with progress(source.options.name) as meter:
            whole = listed.count() or 1
            for taken in surveys.take(listed.rows(), measure, detail):
                if taken.rows % _EVERY == 0:
                    meter(taken.rows, taken.rows / whole)
    except SQLAlchemyError as error:
        why = str(getattr(error, "orig", None) or type(error).__name__).strip().splitlines()[0]
        raise ConfigurationError(f"{source.options.name} cannot be listed: {why}") from None
    return taken


def _show(taken: Survey, *, as_json: bool) -> None:
    if as_json:
        click.echo(to_json(_as_record(taken)))
        return
    click.echo(
        f"{taken.rows} rows, of them {taken.locked} locked, {taken.must_change} must change their password."
    )
    _table(
        "cannot come with an old password",
        "rows",
        {name: taken.problems[name] for name in BARS_THE_WAY},
    )
    _table("to be looked at", "rows", {name: taken.problems[name] for name in OTHERS})
    _table("password hash", "rows", dict(taken.hashes.most_common()))
    _table("unsupported hash that could be", "rows", dict(taken.could_be.most_common()))
    _table("people with one address", "addresses", dict(sorted(taken.shared.items())))
    _table("missing", "rows", dict(taken.missing.most_common()))
    _table("phone", "rows", dict(taken.phones.most_common()))


def _table(what: str, counted: str, numbers: Mapping[Any, int]) -> None:
    rows = [{what: name, counted: number} for name, number in numbers.items() if number]
    if rows:
        show_rows((what, counted), rows, as_json=False)


def _as_record(taken: Survey) -> dict[str, Any]:
    return {
        "rows": taken.rows,
        "locked": taken.locked,
        "must_change": taken.must_change,
        "sound": taken.sound,
        "problems": {name: taken.problems[name] for name in (*BARS_THE_WAY, *OTHERS)},
        "hashes": dict(taken.hashes),
        "could_be": dict(taken.could_be),
        "shared_addresses": {
            str(people): number for people, number in sorted(taken.shared.items())
        },
        "missing": dict(taken.missing),
        "phones": dict(taken.phones),
    }
