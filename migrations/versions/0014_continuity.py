"""Old identifiers, and the relying parties that may know them for a while."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("legacy_identity") as batch_op:
        batch_op.add_column(sa.Column("identifier", sa.String(254)))
    with op.batch_alter_table("client") as batch_op:
        batch_op.add_column(
            sa.Column("legacy_sources", sa.JSON(), nullable=False, server_default="[]")
        )
        batch_op.add_column(sa.Column("legacy_until", sa.Date()))


def downgrade() -> None:
    with op.batch_alter_table("client") as batch_op:
        batch_op.drop_column("legacy_until")
        batch_op.drop_column("legacy_sources")
    with op.batch_alter_table("legacy_identity") as batch_op:
        batch_op.drop_column("identifier")
