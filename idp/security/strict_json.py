"""JSON that strangers wrote. What Python reads, but no database or other program could take, is refused."""

import json
import math
from typing import Any

_DEEPEST = 16
"""Objects and arrays inside one another. No protocol of ours needs half of it."""


def loads(text: str | bytes, *, once: bool = False) -> Any:
    """The value. Raises ValueError for what is no JSON, too deep, or holds half a surrogate pair or an endless
    number; with `once` also where a member stands twice in an object."""
    try:
        value = json.loads(text, object_pairs_hook=_each_once if once else None)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    check(value)
    return value


def _each_once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(members)) < len(members):
        raise ValueError("a member stands twice")
    return dict(members)


def check(value: Any, depth: int = 0) -> None:
    """The same for a value that was read elsewhere."""
    if depth > _DEEPEST:
        raise ValueError("nested too deeply")
    if isinstance(value, dict | list):
        parts = [*value, *value.values()] if isinstance(value, dict) else value
        for part in parts:
            check(part, depth + 1)
    elif isinstance(value, str):
        value.encode()
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError("an endless number")
