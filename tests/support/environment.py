"""What the shell brings along, and what the tests make of it."""

import os

import pytest


def forget_settings() -> None:
    """No option of whoever runs the tests reaches them. Before `config` is imported for the first time."""
    for name in [name for name in os.environ if name.startswith("IDP_")]:
        del os.environ[name]


def require(available: bool, what: str) -> None:
    """Skip where a tool is missing on a developer's machine; fail where all must run."""
    if available:
        return
    if os.environ.get("CI") or os.environ.get("SEUIL_REQUIRE_ALL"):
        pytest.fail(f"{what} is missing, and here nothing may be skipped")
    pytest.skip(f"{what} is not installed")
