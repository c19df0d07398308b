"""More than one application on the database of the tests, as several nodes are."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask

from config import Settings
from idp.app import create_app
from idp.extensions import db
from tests.support.client import SeparateClient


@contextmanager
def running(settings: Settings) -> Iterator[Flask]:
    """A provider that was just started; at the end, what it holds is closed."""
    app = create_app(settings)
    app.test_client_class = SeparateClient
    try:
        yield app
    finally:
        with app.app_context():
            db.engine.dispose()
        for source in app.extensions["seuil.legacy"].sources:
            source.close()
