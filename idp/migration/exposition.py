"""The campaign's figures in Prometheus' text exposition format (0.0.4)."""

from collections.abc import Iterable, Iterator

from idp.migration.figures import Counts, Part, Report
from idp.migration.funnel import COUNTS

_Sample = tuple[dict[str, str], float]


def exposition(report: Report) -> str:
    """Gauges by source, and cases by source, group and step. What is not known has no sample."""
    return "".join(_family(name, about, samples) for name, about, samples in _families(report))


def _families(report: Report) -> Iterator[tuple[str, str, list[_Sample]]]:
    parts = report.parts
    yield "cases", "Cases that came to a step, by source and group.", list(_cases(parts))
    yield "known", "People that a source holds.", _by(parts, [part.known for part in parts])
    medians = [part.median.total_seconds() if part.median else None for part in parts]
    yield "median_seconds", "Median time from start to done.", _by(parts, medians)
    pace = [part.forecast.pace for part in parts]
    yield "done_per_day", "Accounts made a day, over the last 14 days.", _by(parts, pace)
    ends = [_midnight(part) for part in parts]
    yield "end_timestamp_seconds", "When the last is done, at this pace.", _by(parts, ends)
    doors = [part.open_doors for part in parts]
    yield "open_doors", "People done whom the old system might still let in.", _by(parts, doors)
    paused = [float(bool({"", part.counts.source} & set(report.paused))) for part in parts]
    yield "paused", "1 while old identifiers are refused by a pause.", _by(parts, paused)
    now: list[_Sample] = [({}, report.at.timestamp())]
    yield "reported_timestamp_seconds", "When these figures were counted.", now


def _cases(parts: Iterable[Part]) -> Iterator[_Sample]:
    for part in parts:
        for counts in part.groups or (part.counts,):
            yield from _steps(counts)


def _steps(counts: Counts) -> Iterator[_Sample]:
    where = {"source": counts.source, "group": counts.group}
    for name in COUNTS:
        yield {**where, "step": name}, getattr(counts, name)


def _by(parts: Iterable[Part], values: Iterable[float | None]) -> list[_Sample]:
    both = zip(parts, values, strict=True)
    return [({"source": part.counts.source}, value) for part, value in both if value is not None]


def _midnight(part: Part) -> float | None:
    """Days since the epoch, in seconds; a far day is no moment on every machine."""
    ends = part.forecast.ends
    return None if ends is None else (ends.toordinal() - 719163) * 86400.0


def _family(name: str, about: str, samples: Iterable[_Sample]) -> str:
    lines = [_line(f"seuil_campaign_{name}", labels, value) for labels, value in samples]
    head = f"# HELP seuil_campaign_{name} {about}\n# TYPE seuil_campaign_{name} gauge\n"
    return head + "".join(lines) if lines else ""


def _line(name: str, labels: dict[str, str], value: float) -> str:
    pairs = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
    return f"{name}{{{pairs}}} {value:.15g}\n" if pairs else f"{name} {value:.15g}\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
