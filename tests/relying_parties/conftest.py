"""The provider, and people who come to it from parties that are servers too."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from tests.relying_parties.visit import Visit
from tests.support.accounts import make_account
from tests.support.forger import Forger, forging
from tests.support.inbox import Inbox
from tests.support.journey import Person
from tests.support.portal import TestClientApp
from tests.support.threads import providing


@pytest.fixture
def provider(app: Flask) -> Iterator[str]:
    """The issuer, where one person has an account."""
    make_account()
    with providing(app) as url:
        yield url


@pytest.fixture
def forger(provider: str) -> Iterator[Forger]:
    """Stands before the provider; honest until told otherwise."""
    with forging(provider) as forger:
        yield forger


@pytest.fixture
def visit(app: Flask, inbox: Inbox, provider: str) -> Iterator[Callable[..., Visit]]:
    """Brings the person to a party."""
    visits = []

    def come(client: TestClientApp, party: str) -> Visit:
        visits.append(Visit(Person(app, inbox, client, provider), party))
        return visits[-1]

    yield come
    for one in visits:
        one.close()
