"""The provider as real processes, and people who come to it from parties that are processes too."""

from collections.abc import Callable, Iterator
from ipaddress import ip_network

import pytest
from flask import Flask

from tests.relying_parties.visit import Visit
from tests.support.accounts import make_account
from tests.support.forger import Forger, forging
from tests.support.inbox import Inbox
from tests.support.journey import Person
from tests.support.portal import TestClientApp
from tests.support.server import serving
from tests.support.settings import override

LOOPBACK = "127.0.0.0/8"


@pytest.fixture
def provider(app: Flask) -> Iterator[str]:
    """The issuer, where one person has an account; parties on this machine may be asked for keys."""
    make_account()
    with serving(app.extensions["seuil.settings"], workers=1, client_networks=(LOOPBACK,)) as url:
        yield url


@pytest.fixture
def forger(provider: str) -> Iterator[Forger]:
    """Stands before the provider; honest until told otherwise."""
    with forging(provider) as forger:
        yield forger


@pytest.fixture
def visit(app: Flask, inbox: Inbox, provider: str) -> Iterator[Callable[..., Visit]]:
    """Brings the person to a party; messages to it come from this process."""
    visits = []

    def come(client: TestClientApp, party: str) -> Visit:
        visits.append(Visit(Person(app, inbox, client, provider), party))
        return visits[-1]

    with override(app, client_networks=(ip_network(LOOPBACK),), issuer=provider):
        yield come
    for one in visits:
        one.close()
