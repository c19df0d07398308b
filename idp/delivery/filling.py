"""Placeholders in what a gateway wants to be sent: `{to}`, `{text}` and what the configuration adds."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from idp.delivery.messages import Sms

_PLACEHOLDER = re.compile(r"\{([a-z_][a-z0-9_]*)\}")


def words_of(sms: Sms, uid: str, sender: str, values: Mapping[str, str]) -> dict[str, str]:
    """What each placeholder stands for. `digits` is the number without its plus sign."""
    own = {"to": sms.to, "digits": sms.to.removeprefix("+"), "text": sms.text, "id": uid}
    return {**values, **own, "sender": sender}


KNOWN = frozenset({"to", "digits", "text", "id", "sender"})


def fill(shape: Any, words: Mapping[str, str], quote: Callable[[str], str] = str) -> Any:
    """The same shape with its placeholders filled in, each in one go: a value that looks like a
    placeholder stays as it is. `quote` protects each value for the place it is put in."""
    if isinstance(shape, str):
        return _PLACEHOLDER.sub(lambda found: quote(words[found[1]]), shape)
    if isinstance(shape, dict):
        return {name: fill(part, words, quote) for name, part in shape.items()}
    if isinstance(shape, list):
        return [fill(part, words, quote) for part in shape]
    return shape


def placeholders(shape: Any) -> Iterator[str]:
    """Every placeholder in a shape."""
    if isinstance(shape, str):
        yield from _PLACEHOLDER.findall(shape)
    elif isinstance(shape, dict | list):
        for part in shape.values() if isinstance(shape, dict) else shape:
            yield from placeholders(part)


def check(shape: Any, values: Mapping[str, str], sender: str) -> None:
    """Raises ValueError for a placeholder that nothing stands behind."""
    wanted = set(placeholders(shape))
    missing = sorted(wanted - KNOWN - set(values))
    if missing:
        raise ValueError(f"{{{missing[0]}}} stands for nothing: write values.{missing[0]}")
    if "sender" in wanted and not sender:
        raise ValueError("sender is missing: the name or number that people see")
