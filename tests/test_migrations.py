"""Revisions and models agree, up and down, on both engines."""

from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from sqlalchemy import inspect, text

from idp import schema
from idp.extensions import Base, db, init_database
from tests.support.schema import MODELS_LOADED
from tests.support.settings import make_settings


@pytest.fixture
def empty(cluster, tmp_path) -> Iterator[Flask]:
    url = cluster.url("migrations") if cluster else f"sqlite:///{tmp_path}/empty.db"
    app = Flask("idp")
    app.extensions["seuil.settings"] = make_settings(url, tmp_path)
    init_database(app, url)
    with app.app_context():
        yield app
        db.engine.dispose()


def tables() -> set[str]:
    return set(inspect(db.engine).get_table_names()) - {"alembic_version"}


@pytest.mark.usefixtures("empty")
def test_up_makes_every_table_and_down_leaves_none():
    assert not schema.revisions().current
    schema.upgrade()
    assert schema.revisions().current
    assert tables() == set(Base.metadata.tables)
    schema.downgrade("base")
    assert tables() == set()
    schema.upgrade()
    assert tables() == set(Base.metadata.tables)


@pytest.mark.usefixtures("empty")
def test_the_schema_is_what_the_models_say():
    assert MODELS_LOADED
    schema.upgrade()
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


@pytest.mark.parametrize("table", ["browser_session", "authorization_code", "token"])
def test_the_database_itself_refuses_what_descends_from_nothing(app, table):
    """The foreign key is there, and it is NOT NULL."""
    columns = {column["name"]: column for column in inspect(db.engine).get_columns(table)}
    assert columns["authentication_id"]["nullable"] is False
    keys = inspect(db.engine).get_foreign_keys(table)
    assert any(
        (key["constrained_columns"], key["referred_table"])
        == (["authentication_id"], "authentication")
        for key in keys
    )
    with db.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1
