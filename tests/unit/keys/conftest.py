"""A deployment of its own: signing keys come and go here, and other tests need theirs."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import time_machine
from flask import Flask

from idp.cli.common import bare_app
from idp.extensions import Base, db
from idp.keys import kek
from tests.support.postgres import Cluster
from tests.support.settings import make_settings
from tests.unit.keys.making import START


@pytest.fixture
def empty(cluster: Cluster | None, tmp_path: Path) -> Iterator[Flask]:
    """Settings, schema and key-encryption key; no signing key."""
    url = cluster.url("keys") if cluster else f"sqlite:///{tmp_path}/keys.db"
    kek.create(tmp_path / "kek.json")
    app = bare_app(make_settings(url, tmp_path))
    with app.app_context():
        Base.metadata.create_all(db.engine)
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def time() -> Iterator[time_machine.Traveller]:
    """Stands still unless it is moved."""
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller
