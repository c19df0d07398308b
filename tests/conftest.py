"""Fixtures that every tier shares: engines, one clean database a test, inbox, people, a client."""

# ruff: noqa: E402 - settings of the shell are forgotten before anything reads them

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.support.environment import forget_settings, require

forget_settings()

from idp.app import create_app
from idp.delivery import routes
from idp.extensions import db
from idp.keys import kek
from tests.support import database, portal, postgres
from tests.support.client import SeparateClient
from tests.support.inbox import Inbox
from tests.support.journey import Person
from tests.support.mariadb import PROGRAM, MariaDb
from tests.support.people import write_store
from tests.support.portal import TestClientApp
from tests.support.settings import make_settings


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--engine", choices=("sqlite", "postgresql"), default="sqlite")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What stands on no engine need not run on another one."""
    if config.getoption("--engine") == "postgresql":
        stands = [item for item in items if {"engine", "request"} & set(item.fixturenames)]
        config.hook.pytest_deselected(items=[item for item in items if item not in stands])
        items[:] = stands


@pytest.fixture(scope="session")
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.config.getoption("--engine"))


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("seuil")


@pytest.fixture(scope="session")
def any_cluster() -> Iterator[postgres.Cluster]:
    """A PostgreSQL, whichever engine the suite runs on."""
    require(postgres.binaries() is not None, "PostgreSQL")
    cluster = postgres.Cluster()
    yield cluster
    cluster.stop()


@pytest.fixture(scope="session")
def any_mariadb() -> Iterator[MariaDb]:
    """A MariaDB, which is never an engine of ours."""
    require(PROGRAM.exists(), "MariaDB")
    server = MariaDb()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def cluster(engine: str, request: pytest.FixtureRequest) -> postgres.Cluster | None:
    """The PostgreSQL that the suite runs on, or None on SQLite."""
    return request.getfixturevalue("any_cluster") if engine == "postgresql" else None


@pytest.fixture(scope="session")
def database_url(cluster: postgres.Cluster | None, folder: Path) -> str:
    return cluster.url("seuil") if cluster else f"sqlite:///{folder}/seuil.db"


@pytest.fixture(scope="session")
def inbox() -> Iterator[Inbox]:
    inbox = Inbox()
    yield inbox
    inbox.stop()


@pytest.fixture(scope="session")
def sources(folder: Path) -> Path:
    return write_store(folder)


@pytest.fixture(scope="session")
def session_app(database_url: str, folder: Path, inbox: Inbox, sources: Path) -> Iterator[Flask]:
    kek.create(folder / "kek.json")
    settings = make_settings(
        database_url,
        folder,
        smtp_port=inbox.smtp_port,
        sms_url=inbox.sms_url,
        legacy_sources=sources,
    )
    app = create_app(settings)
    with app.app_context():
        database.unsettle()
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.test_client_class = SeparateClient
    with app.app_context():
        database.prepare()
    yield app
    routes.close(app)
    with app.app_context():
        db.engine.dispose()
    for source in app.extensions["seuil.legacy"].sources:
        source.close()


@pytest.fixture
def app(session_app: Flask, inbox: Inbox) -> Iterator[Flask]:
    """The application on a clean database (signing keys stay), inside an application context."""
    inbox.clear()
    with session_app.app_context():
        yield session_app
        db.session.remove()
        database.clean()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture(name="portal")
def registered_portal(app: Flask) -> TestClientApp:
    """The relying party that people come from."""
    return portal.register()


@pytest.fixture
def person(app: Flask, inbox: Inbox, portal: TestClientApp) -> Person:
    return Person(app, inbox, portal)


@pytest.fixture
def another(app: Flask, inbox: Inbox, portal: TestClientApp) -> Callable[[], Person]:
    """Makes further people, each in a browser of their own."""
    return lambda: Person(app, inbox, portal)
