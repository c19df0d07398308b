"""Secrets that a configuration file names without holding them."""

import os
from pathlib import Path


def secret(value: str) -> str:
    """A value as written, or read from `env:NAME` or `file:PATH`. Raises ValueError."""
    kind, _, where = value.partition(":")
    if kind == "env":
        if where not in os.environ:
            raise ValueError(f"environment variable {where} is not set")
        return os.environ[where]
    if kind == "file":
        try:
            return Path(where).read_text().strip()
        except OSError as error:
            raise ValueError(f"cannot read {where}: {error.strerror}") from None
    return value
