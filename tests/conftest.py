"""Fixtures that every tier shares: engines, one clean database a test, inbox, people, a client."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from idp import schema
from idp.app import create_app
from idp.clients import manage
from idp.clients.manage import NewClient
from idp.extensions import Base, db, transaction
from idp.keys import kek, signing
from idp.keys.models import SigningKey
from tests.support import postgres
from tests.support.client import SeparateClient
from tests.support.inbox import Inbox
from tests.support.journey import Person
from tests.support.people import write_store
from tests.support.settings import make_settings


@dataclass(frozen=True)
class TestClientApp:
    """A registered relying party."""

    __test__ = False
    client_id: str
    secret: str
    redirect_uri: str


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--engine", choices=("sqlite", "postgresql"), default="sqlite")


def require(available: bool, what: str) -> None:
    """Skip where a tool is missing on a developer's machine; fail where all must run."""
    if available:
        return
    if os.environ.get("CI") or os.environ.get("SEUIL_REQUIRE_ALL"):
        pytest.fail(f"{what} is missing, and here nothing may be skipped")
    pytest.skip(f"{what} is not installed")


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
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.test_client_class = SeparateClient
    with app.app_context():
        schema.upgrade()
        with transaction():
            for alg in signing.ALGORITHMS:
                _make_ageless(signing.create(signing.new_pair(alg)))
    yield app
    with app.app_context():
        db.engine.dispose()
    for source in app.extensions["seuil.legacy"].sources:
        source.close()


def _make_ageless(key: SigningKey) -> None:
    """Tests travel in time; the keys they share must sign everywhere."""
    key.activate_at = datetime(2000, 1, 1, tzinfo=UTC)
    key.expire_at = key.retire_at = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture
def app(session_app: Flask, inbox: Inbox) -> Iterator[Flask]:
    """The application on a clean database (signing keys stay), inside an application context."""
    inbox.clear()
    with session_app.app_context():
        yield session_app
        db.session.remove()
        clean()


def clean() -> None:
    """Empty every table but the signing keys'."""
    kept = {"signing_key", "cache_version"}
    tables = [table for table in reversed(Base.metadata.sorted_tables) if table.name not in kept]
    with db.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            names = ", ".join(f'"{table.name}"' for table in tables)
            connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))
        else:
            for table in tables:
                connection.execute(table.delete())


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def register_portal() -> TestClientApp:
    """Register the relying party that people come from."""
    new = NewClient(
        client_name="e-services",
        redirect_uris=("https://portal.example/callback",),
        post_logout_redirect_uris=("https://portal.example/bye",),
        client_uri="https://portal.example/",
        grant_types=("authorization_code", "refresh_token"),
        scope="openid profile email phone address offline_access",
    )
    with transaction():
        registered, secret = manage.create(new)
        return TestClientApp(registered.client_id, secret or "", new.redirect_uris[0])


@pytest.fixture
def portal(app: Flask) -> TestClientApp:
    """The relying party that people come from."""
    return register_portal()


@pytest.fixture
def person(app: Flask, inbox: Inbox, portal: TestClientApp) -> Person:
    return Person(app, inbox, portal)
