"""Comparing answers that must be alike: pages, and the time that they take."""

import re
import statistics
from collections.abc import Callable, Iterable

_RANDOM = re.compile(
    r'(?<=name="csrf_token" value=")[^"]*|(?<=/interaction/)[\w-]+|(?<=reference">)[\w-]+'
)


def without_random(page: str) -> str:
    """The source of a page without what is random in every one."""
    return _RANDOM.sub("", page)


_FLOOR, _SPREAD, _ROUNDS = 0.400, 0.005, 10


def assert_as_quick(one_round: Callable[[], Iterable[tuple[str, str, float]]]) -> None:
    """That all kinds of a step take equally long, at least the floor; a round gives (step, kind, seconds).

    What a busy machine adds it adds now here, now there; what tells something is added every time. So the
    quickest tenth of each kind is compared, of all rounds so far, and a further round is asked for only where
    that is not alike yet.
    """
    taken: dict[str, dict[str, list[float]]] = {}
    for _round in range(_ROUNDS):
        for step, kind, seconds in one_round():
            taken.setdefault(step, {}).setdefault(kind, []).append(seconds)
        quick = {step: _quickest_tenth(kinds) for step, kinds in taken.items()}
        assert min(min(kinds.values()) for kinds in quick.values()) >= _FLOOR, quick
        if all(max(kinds.values()) - min(kinds.values()) < _SPREAD for kinds in quick.values()):
            return
    raise AssertionError(f"some kinds take longer than others, in seconds: {quick}")


def _quickest_tenth(kinds: dict[str, list[float]]) -> dict[str, float]:
    return {kind: statistics.quantiles(seconds, n=10)[0] for kind, seconds in kinds.items()}
