"""The campaign's figures for people at a terminal, for machines, and as one page for everybody else."""

import os
import tempfile
from collections.abc import Iterable
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import rich_click as click
from flask import render_template
from flask_babel import force_locale

from idp.cli.output import show_record, show_rows, to_json
from idp.errors import ConfigurationError
from idp.migration import figures
from idp.migration.figures import Counts, NoForecast, Part, Report
from idp.migration.funnel import COUNTS, STEPS

_COLUMNS = ("source", "group", "known", *COUNTS, "waiting", "open_doors")
_WHY_NOT = {
    NoForecast.UNKNOWN: "cannot be said: it is not known how many people every source holds",
    NoForecast.EARLY: "cannot be said yet: the first migration began less than 3 days ago",
    NoForecast.STILL: "cannot be said: nobody has finished in the last 14 days",
    NoForecast.OVER: "everybody is done",
}


def show(report: Report, *, as_json: bool) -> None:
    """Tables, or one JSON object."""
    if as_json:
        click.echo(to_json(as_record(report)))
        return
    show_rows(_COLUMNS, list(_rows(report)), as_json=False)
    steps = [asdict(step) for step in figures.steps(report.whole.counts, STEPS)]
    named = [{"step": one.pop("name"), **_with_percent(one)} for one in steps]
    show_rows(("step", "reached", "share", "lost", "lost_share"), named, as_json=False)
    show_record(_told(report), as_json=False)


def page(report: Report, language: str) -> str:
    """One page that needs nothing else, in a language of ours."""
    with force_locale(language):
        steps = figures.steps(report.whole.counts, STEPS)
        return render_template(
            "campaign-report.html", report=report, steps=steps, language=language
        )


def write(path: Path, text: str) -> None:
    """All or nothing: whoever reads meanwhile sees the old file. Raises ConfigurationError."""
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o644)
            file.write(text)
        Path(name).replace(path)
    except OSError as error:
        raise ConfigurationError(f"cannot write {path}: {error.strerror}") from None


def as_record(report: Report) -> dict[str, Any]:
    """The report in plain values."""
    return {
        "at": report.at,
        "closed": report.closed,
        "paused": {name or "all": since for name, since in report.paused.items()},
        "whole": _part(report.whole),
        "sources": [_part(part) for part in report.parts],
        "days": [asdict(day) for day in report.days],
    }


def _part(part: Part) -> dict[str, Any]:
    forecast = part.forecast
    return {
        **_counts(part.counts),
        "known": part.known,
        "steps": [asdict(step) for step in figures.steps(part.counts, STEPS)],
        "median_seconds": part.median and part.median.total_seconds(),
        "done_per_day": forecast.pace,
        "remaining": forecast.remaining,
        "ends": forecast.ends,
        "no_forecast": forecast.why_not,
        "closes": part.closes,
        "late": part.late,
        "open_doors": part.open_doors,
        "groups": [_counts(group) for group in part.groups],
    }


def _counts(counts: Counts) -> dict[str, Any]:
    return {**asdict(counts), "waiting": counts.waiting}


def _rows(report: Report) -> Iterable[dict[str, Any]]:
    """A line for each source, its groups under it, and the sum where there are several."""
    for part in report.parts:
        yield {**_counts(part.counts), **_of_all(part)}
        for group in part.groups:
            name = group.group or "(none)"
            yield {**_counts(group), "group": name, "known": None, "open_doors": None}
    if len(report.parts) > 1:
        yield {**_counts(report.whole.counts), **_of_all(report.whole), "source": "all"}


def _of_all(part: Part) -> dict[str, int | None]:
    """What is not counted by group."""
    return {"known": part.known, "open_doors": part.open_doors}


def _with_percent(step: dict[str, Any]) -> dict[str, Any]:
    return step | {name: f"{step[name]:g} %" for name in ("share", "lost_share")}


def _told(report: Report) -> dict[str, Any]:
    whole, forecast = report.whole, report.whole.forecast
    ends = str(forecast.ends) if forecast.ends else _WHY_NOT[forecast.why_not or NoForecast.EARLY]
    if whole.late:
        ends += f", after the last day ({whole.closes})"
    since = [f"{name or 'all'} since {at:%Y-%m-%d %H:%M} UTC" for name, at in report.paused.items()]
    return {
        "paused": ", ".join(since) or "no",
        "closed": ", ".join(report.closed) or "no",
        "median time": _time(whole.median),
        "pace": f"{forecast.pace:.1f} a day over the last 14 days",
        "left": "not known" if forecast.remaining is None else forecast.remaining,
        "end": ends,
    }


def _time(median: timedelta | None) -> str:
    if median is None:
        return "nobody is done"
    minutes, seconds = divmod(int(median.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s"
