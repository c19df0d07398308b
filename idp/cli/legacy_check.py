"""`idp legacy check`: what old systems look like from here, and how one sign-in would go."""

import time
from collections import Counter
from contextlib import closing, suppress
from itertools import islice
from typing import Any

import rich_click as click
from sqlalchemy.exc import SQLAlchemyError

from idp.accounts.addresses import mask_email
from idp.cli import clerk
from idp.cli.old_systems import named, old_systems
from idp.cli.output import json_option, show_record, show_rows, to_json
from idp.errors import ConfigurationError
from idp.extensions import settings
from idp.flow import rehearsal
from idp.flow.rehearsal import Asked, Rehearsal, Shut
from idp.legacy import registry
from idp.legacy.hashes import UnsupportedHashError
from idp.legacy.rows import HashedOptions, Row
from idp.legacy.source import LegacySource, Person, Unsupported, listable
from idp.legacy.survey import scheme_of
from idp.migration import campaign

_SAMPLE = 200
_COLUMNS = (
    "source",
    "type",
    "state",
    "rows",
    "hashes",
    "slowest",
    "columns",
    "proof",
    "opens",
    "closes",
    "timeout",
    "tries",
)
_ASKED = ("source", "answer", "seconds")


@click.command()
@click.argument("source", required=False)
@click.option("--identifier", help="Walk one sign-in with it; the password is asked for.")
@click.option("--show", is_flag=True, help="With --identifier: personal data in clear.")
@json_option
@click.pass_context
def check(
    ctx: click.Context, /, source: str | None, *, identifier: str | None, show: bool, as_json: bool
) -> None:
    """Connect to every old system, or to one, and say what is seen. Exit code 1 if one cannot be used.

    With --identifier, one sign-in is walked through all of them. Nothing is written but that you looked,
    and no try is counted here; an old system that counts wrong passwords counts this one.
    """
    if identifier is not None and source:
        raise click.UsageError("A sign-in asks every source in its order: name none.", ctx)
    with old_systems():
        if identifier is not None:
            _walk(identifier, show=show, as_json=as_json)
            return
        sources = [named(source)] if source else registry.current().sources
        if not sources:
            raise ConfigurationError("there is no source: look at IDP_LEGACY_SOURCES")
        shut = campaign.door().shut
        seen = [_seen(one, shut) for one in sources]
        clerk.looked_at("legacy check", len(seen), {"source": source})
        _show(seen, as_json=as_json)
    ctx.exit(0 if all(one["reachable"] for one in seen) else 1)


def _seen(source: LegacySource, shut: frozenset[str]) -> dict[str, Any]:
    options, problem = source.options, source.problem()
    state = problem or ("shut by the campaign" if options.name in shut else "answers")
    counted, hashes, slowest = (None, {}, None) if problem else _counted(source)
    return {
        "source": options.name,
        "type": options.type,
        "reachable": problem is None,
        "state": state,
        "rows": counted,
        "hashes": hashes,
        "slowest": None if slowest is None else round(slowest, 3),
        "columns": dict(getattr(options, "columns", {})),
        "proof": options.proof.value,
        "opens": options.opens,
        "closes": options.closes,
        "timeout": options.timeout,
        "tries": options.tries,
    }


def _counted(source: LegacySource) -> tuple[int | None, dict[str, int], float | None]:
    """How many rows there are, how the passwords of some are hashed, and the seconds that the slowest kind of
    hash takes here; nothing where none can be listed."""
    listed = listable(source)
    if listed is None:
        return None, {}, None
    scheme = getattr(source.options, "hash", "auto")
    try:
        with closing(listed.rows()) as rows:
            sample = [
                (scheme_of(row, scheme) or "unsupported", row) for row in islice(rows, _SAMPLE)
            ]
        kinds = Counter(kind for kind, _row in sample)
        slowest = max((_seconds(source, row) for row in dict(sample).values()), default=None)
        return listed.count(), dict(kinds.most_common()), slowest
    except SQLAlchemyError as error:
        why = str(getattr(error, "orig", None) or type(error).__name__).strip().splitlines()[0]
        raise ConfigurationError(f"{source.options.name} cannot be listed: {why}") from None


def _seconds(source: LegacySource, row: Row) -> float:
    """What comparing one wrong password takes."""
    assert isinstance(source.options, HashedOptions), "rows with hashes have such"
    began = time.perf_counter()
    with suppress(UnsupportedHashError):
        source.options.fits(row, "a wrong one")
    return time.perf_counter() - began


def _show(seen: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        click.echo(to_json(seen))
        return
    for number, one in enumerate(seen):
        click.echo("" if not number else "\n", nl=False)
        lists = {
            name: [f"{k}: {v}" for k, v in one[name].items()] for name in ("hashes", "columns")
        }
        slowest = (
            one["slowest"] is not None
            and f"a check takes {one['slowest']:g} s{_if_slow(one['slowest'])}"
        )
        said = {**one, **lists, "timeout": f"{one['timeout']:g} s", "slowest": slowest}
        filled = {name: said[name] for name in _COLUMNS if said[name] not in (None, False, [])}
        show_record(filled, as_json=False)


def _if_slow(seconds: float) -> str:
    """What has to be done where the time of a refusal would tell whom an old system knows."""
    floor = settings.sign_in_floor.total_seconds()
    if seconds < floor:
        return ""
    return f": more than IDP_SIGN_IN_FLOOR ({floor:g} s), so time tells whom it knows. Raise that"


def _walk(identifier: str, *, show: bool, as_json: bool) -> None:
    password = click.prompt("Password", hide_input=True, default="", show_default=False, err=True)
    found = rehearsal.rehearse(identifier, password)
    sought = {"identifier": clerk.masked(identifier), "shown": show}
    clerk.looked_at("legacy check", int(found.person is not None), sought, sub=found.holder)
    asked = [
        {"source": one.source, "answer": _answer(one), "seconds": round(one.seconds, 3)}
        for one in found.asked
    ]
    record = {
        **_record(found),
        "person": _person(found.person, show=show) if found.person else None,
    }
    if as_json:
        click.echo(to_json({"asked": asked, **record}))
        return
    if asked:
        show_rows(_ASKED, asked, as_json=False)
        slow = _if_slow(sum(one.seconds for one in found.asked))
        click.echo(f"asking took long{slow}\n" if slow else "", nl=False)
    person = record.pop("person") or {}
    show_record({name: text for name, text in {**person, **record}.items() if text}, as_json=False)


def _answer(asked: Asked) -> str:
    match asked.answer:
        case Shut():
            return "not asked: shut by the campaign"
        case Unsupported(reason=reason, key=key):
            return f"unsupported: {reason} (key {key})"
        case answer:
            return type(answer).__name__.lower()


def _record(found: Rehearsal) -> dict[str, Any]:
    taken = found.taken_by and f"{found.taken_by} has the address on record already"
    return {
        "next": found.next.value,
        "account": found.holder,
        "case": found.reference,
        "conflict": taken,
    }


def _person(person: Person, *, show: bool) -> dict[str, Any]:
    """What the old system says of somebody; masked, it shows what is there and not what it says."""
    texts = {
        "identifier": person.identifier,
        "email": person.email,
        "phone": person.phone,
        **{name: str(value or "") for name, value in vars(person.profile).items()},
        **person.attributes,
    }
    said = texts if show else {name: _masked(text) for name, text in texts.items()}
    flags = {"locked": person.locked, "must_change": person.must_change}
    return {"key": person.key, **said, **flags}


def _masked(text: str) -> str:
    return mask_email(text) if "@" in text else clerk.masked(text)
