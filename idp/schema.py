"""The database schema: bringing it up to date, and telling whether it is."""

from dataclasses import dataclass

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask_migrate import downgrade as _downgrade
from flask_migrate import upgrade as _upgrade

from idp import resources
from idp.extensions import db


@dataclass(frozen=True)
class Revisions:
    """Where the database stands (None: it is empty), and where this code would have it."""

    database: str | None
    code: str
    ahead: bool
    """A newer version of this program has been at the database."""

    @property
    def current(self) -> bool:
        """True when they agree."""
        return self.database == self.code


def upgrade() -> None:
    """Apply every revision that is missing."""
    _upgrade(directory=_folder())


def downgrade(revision: str) -> None:
    """Go back to a revision; "base" empties the schema."""
    _downgrade(directory=_folder(), revision=revision)


def revisions() -> Revisions:
    """Compare the database with the code. Raises SQLAlchemyError where it cannot be reached."""
    scripts = ScriptDirectory(_folder())
    with db.engine.connect() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in scripts.walk_revisions()}
    newest = scripts.get_current_head() or ""
    return Revisions(database=found, code=newest, ahead=found is not None and found not in known)


def _folder() -> str:
    return str(resources.folder("migrations"))
