"""Chromium, the demonstration, and visitors with an old identifier each."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.support.browser import CHROMIUM, DESKTOP, Visitor, chromium, demonstration
from tests.support.environment import require


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    require(CHROMIUM.exists(), "Chromium")
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    with demonstration(tmp_path_factory.mktemp("demo")) as summary:
        yield summary


@pytest.fixture(scope="module")
def people(demo: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Those who can still migrate, each once."""
    return iter([user for user in demo["legacy_users"] if not user["locked"]])


@pytest.fixture
def visitor(
    browser: Browser, demo: dict[str, Any], people: Iterator[dict[str, Any]]
) -> Iterator[Callable[..., Visitor]]:
    """Makes visitors; afterwards nothing may have gone wrong in their browsers."""
    visitors: list[Visitor] = []

    def make(*, like: Visitor | None = None, size: Any = DESKTOP, **options: Any) -> Visitor:
        context = browser.new_context(viewport=size, locale="fr-CH", **options)
        user = next(people) if like is None else {}
        identifier = like.identifier if like else user["identifier"]
        password = like.password if like else user["password"]
        visitors.append(Visitor(context, demo, identifier, password))
        return visitors[-1]

    yield make
    for one in visitors:
        one.context.close()
    assert [complaint for one in visitors for complaint in one.complaints] == []
