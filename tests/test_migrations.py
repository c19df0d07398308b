"""Revisions and models agree, up and down, on both engines."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from sqlalchemy import bindparam, inspect, select, text

from idp import clock, schema
from idp.clients import manage
from idp.clients.registration import Registration
from idp.clients.registration_tokens import RegistrationToken
from idp.extensions import Base, UtcDateTime, db, init_database, transaction
from idp.keys.models import SigningKey
from tests.support.schema import MODELS_LOADED
from tests.support.settings import make_settings

LEGACY_READER = Registration(
    client_name="Archives",
    redirect_uris=("https://archive.example/cb", "https://archive.example/second"),
    scope="openid legacy",
    require_pkce=False,
    default_max_age=60,
    legacy_sources=("portail",),
    legacy_until=date(2027, 3, 31),
)


@pytest.fixture
def empty(cluster, tmp_path) -> Iterator[Flask]:
    url = cluster.url("migrations") if cluster else f"sqlite:///{tmp_path}/empty.db"
    app = Flask("idp")
    app.extensions["seuil.settings"] = make_settings(url, tmp_path, weaker_clients=("no-pkce",))
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
def test_a_registration_of_many_columns_becomes_one_and_many_again():
    schema.upgrade()
    with transaction():
        client, _secret = manage.create(LEGACY_READER)
        name = client.client_id
    db.session.remove()
    schema.downgrade("0015")
    with db.engine.connect() as connection:
        row = connection.execute(text("SELECT scope, legacy_until, require_pkce FROM client")).one()
    assert row[0] == LEGACY_READER.scope
    assert str(row[1]) == "2027-03-31"
    assert not row[2]
    schema.upgrade()
    kept = manage.get(name)
    assert kept is not None
    assert kept.registration == LEGACY_READER
    db.session.remove()


@pytest.mark.usefixtures("empty")
def test_keys_that_were_taken_away_before_read_no_hints_afterwards():
    schema.upgrade()
    schema.downgrade("0019")
    now = clock.now().replace(microsecond=0)
    insert = text(
        "INSERT INTO signing_key (kid, alg, public, private, created_at, activate_at, expire_at, retire_at) "
        "VALUES (:kid, 'ES256', '{}', 'x', :at, :at, :at, :at)"
    ).bindparams(bindparam("at", type_=UtcDateTime()))
    day = timedelta(days=1)
    with db.engine.begin() as connection:
        connection.execute(
            insert, [{"kid": "no", "at": now - day}, {"kid": "yes", "at": now + day}]
        )
    schema.upgrade()
    with db.engine.connect() as connection:
        rows = connection.execute(select(SigningKey.kid, SigningKey.known_until)).all()
    assert dict(rows) == {"no": now - day, "yes": now + 181 * day}


@pytest.mark.usefixtures("empty")
def test_a_registration_token_of_before_demands_pkce():
    schema.upgrade()
    schema.downgrade("0023")
    insert = text(
        "INSERT INTO registration_token (id, digest, note, actor, uses_left, created_at, expires_at) "
        "VALUES (1, 'x', 'old', 'os:tests', 1, :at, :at)"
    ).bindparams(bindparam("at", type_=UtcDateTime()))
    with db.engine.begin() as connection:
        connection.execute(insert, {"at": clock.now()})
    schema.upgrade()
    with db.engine.connect() as connection:
        assert connection.execute(select(RegistrationToken.require_pkce)).scalars().all() == [True]


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
