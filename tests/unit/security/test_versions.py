"""DESIGN 6: cached per process, refreshed by a version row within 2 seconds."""

from itertools import count

import pytest
from flask import Flask

from idp.extensions import transaction
from idp.security import versions
from idp.security.versions import VersionedCache


@pytest.fixture
def cache(app: Flask) -> VersionedCache[int]:
    """Its value is how often it was loaded."""
    numbers = count(1)
    return VersionedCache("test-cache", lambda: next(numbers))


def test_an_unchanged_value_is_loaded_once(
    cache: VersionedCache[int], seconds: list[float]
) -> None:
    assert cache.get() == 1
    seconds[0] += 3600
    assert cache.get() == 1


def test_a_change_is_seen_after_two_seconds_and_no_later(
    cache: VersionedCache[int], seconds: list[float]
) -> None:
    cache.get()
    with transaction():
        versions.bump("test-cache")
    seconds[0] += 1.9
    assert cache.get() == 1
    seconds[0] += 0.1
    assert cache.get() == 2


def test_who_changes_it_sees_it_at_once(cache: VersionedCache[int], seconds: list[float]) -> None:
    cache.get()
    cache.forget()
    assert cache.get() == 2


def test_another_name_moves_nothing(cache: VersionedCache[int], seconds: list[float]) -> None:
    cache.get()
    with transaction():
        versions.bump("test-other")
    seconds[0] += 3
    assert cache.get() == 1


def test_what_was_read_before_a_rollback_is_not_taken_for_a_later_change(
    cache: VersionedCache[int], seconds: list[float]
) -> None:
    cache.get()

    def undone() -> None:
        with transaction():
            versions.bump("test-cache")
            cache.forget()
            cache.get()
            raise InterruptedError

    with pytest.raises(InterruptedError):
        undone()
    with transaction():
        versions.bump("test-cache")
    seconds[0] += 3
    assert cache.get() == 3
