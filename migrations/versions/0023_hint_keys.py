"""Until when a signing key reads ID tokens that come back as hints. Keys that are retired already read none."""

from datetime import timedelta

import sqlalchemy as sa
from alembic import op

from idp import clock
from idp.extensions import UtcDateTime

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_KEPT = timedelta(days=180)


def upgrade() -> None:
    op.add_column("signing_key", sa.Column("known_until", UtcDateTime(), nullable=True))
    keys = sa.table(
        "signing_key",
        sa.column("kid", sa.String),
        sa.column("retire_at", UtcDateTime),
        sa.column("known_until", UtcDateTime),
    )
    connection, now = op.get_bind(), clock.now()
    for kid, retire_at in connection.execute(sa.select(keys.c.kid, keys.c.retire_at)).all():
        known_until = retire_at + _KEPT if retire_at > now else retire_at
        connection.execute(keys.update().where(keys.c.kid == kid).values(known_until=known_until))
    with op.batch_alter_table("signing_key") as batch:
        batch.alter_column("known_until", existing_type=UtcDateTime(), nullable=False)
        batch.drop_index("ix_signing_key_retire_at")
        batch.create_index("ix_signing_key_known_until", ["known_until"])


def downgrade() -> None:
    """Keys without their private half cannot be read by what came before."""
    op.execute("DELETE FROM signing_key WHERE private = ''")
    with op.batch_alter_table("signing_key") as batch:
        batch.drop_index("ix_signing_key_known_until")
        batch.create_index("ix_signing_key_retire_at", ["retire_at"])
        batch.drop_column("known_until")
