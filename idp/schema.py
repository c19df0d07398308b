"""The database schema: bringing it up to date, and telling whether it is."""

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask_migrate import downgrade as _downgrade
from flask_migrate import upgrade as _upgrade

from idp import resources
from idp.extensions import db


def upgrade() -> None:
    """Apply every revision that is missing."""
    _upgrade(directory=_folder())


def downgrade(revision: str) -> None:
    """Go back to a revision; "base" empties the schema."""
    _downgrade(directory=_folder(), revision=revision)


def is_current() -> bool:
    """True when the database has the newest revision."""
    newest = ScriptDirectory(_folder()).get_current_head()
    with db.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() == newest


def _folder() -> str:
    return str(resources.folder("migrations"))
