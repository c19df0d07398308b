"""JSON that strangers wrote. What Python reads, but no database or other program could take, is refused."""

import json
import math
from typing import Any

_DEEPEST = 16
"""Objects and arrays inside one another. No protocol of ours needs half of it."""


def loads(text: str | bytes) -> Any:
    """The value. Raises ValueError for what is no JSON, too deep, or holds half a surrogate pair or an endless
    number."""
    try:
        value = json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    check(value)
    return value


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
