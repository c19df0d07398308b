"""Client metadata as JSON writes it (RFC 7591 2): read into the types of a registration, whoever sent it."""

import json
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError

from idp.clients.registration import Registration

KINDS: dict[str, Any] = get_type_hints(Registration)
"""Type of each field of a registration, by name."""

_READERS = {name: TypeAdapter(kind) for name, kind in KINDS.items()}


def as_field(name: str, value: Any) -> Any:
    """One JSON value, read strictly, as its field holds it. Raises ValueError, in constant words."""
    try:
        return _READERS[name].validate_json(json.dumps(value), strict=True)
    except ValidationError as error:
        raise ValueError(error.errors()[0]["msg"]) from None
