"""A test client whose requests are as separate from the test as a server's would be."""

from typing import Any

from flask import has_app_context
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from idp.extensions import db


class SeparateClient(FlaskClient):
    """Each request has an application context, `g` and a database session of its own.

    Flask would lend it the test's. Afterwards the test's session looks at the database anew.
    """

    def open(self, *args: Any, **options: Any) -> TestResponse:
        """Ask in a fresh context."""
        with self.application.app_context():
            answer = super().open(*args, **options)
        if has_app_context():
            db.session.rollback()
        return answer
