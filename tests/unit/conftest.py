"""Fixtures of the unit tier."""

import pytest


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What the caches' stopwatch shows; a test moves it by `seconds[0] += 2`."""
    shown = [1000.0]
    monkeypatch.setattr("idp.security.versions.monotonic", lambda: shown[0])
    return shown
