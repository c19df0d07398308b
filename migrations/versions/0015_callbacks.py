"""Telling old systems who has migrated, and whether their old doors are closed."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("legacy_identity") as batch_op:
        batch_op.add_column(sa.Column("call_due_at", sa.DateTime(timezone=True)))
        batch_op.add_column(sa.Column("call_since", sa.DateTime(timezone=True)))
        batch_op.add_column(
            sa.Column("call_attempts", sa.Integer(), nullable=False, server_default="0")
        )
        batch_op.add_column(sa.Column("call_error", sa.String(100)))
        batch_op.add_column(sa.Column("door_closed_at", sa.DateTime(timezone=True)))
        batch_op.create_index(op.f("ix_legacy_identity_call_due_at"), ["call_due_at"])


def downgrade() -> None:
    with op.batch_alter_table("legacy_identity") as batch_op:
        batch_op.drop_index(op.f("ix_legacy_identity_call_due_at"))
        for column in ("door_closed_at", "call_error", "call_attempts", "call_since", "call_due_at"):
            batch_op.drop_column(column)
