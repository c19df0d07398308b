"""Alembic's environment: every model, the application's own engine, one transaction."""

import importlib

from alembic import context

from idp.extensions import Base, db

MODELS = (
    "idp.accounts.account",
    "idp.audit.models",
    "idp.challenges.challenge",
    "idp.clients.client",
    "idp.delivery.models",
    "idp.flow.interaction",
    "idp.grants.models",
    "idp.keys.models",
    "idp.legacy.identity",
    "idp.migration.models",
    "idp.security.throttle",
    "idp.security.versions",
    "idp.sessions.models",
)
for _name in MODELS:
    importlib.import_module(_name)


def _run() -> None:
    with db.engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            compare_type=True,
            render_as_batch=connection.dialect.name == "sqlite",
        )
        with context.begin_transaction():
            context.run_migrations()


_run()
