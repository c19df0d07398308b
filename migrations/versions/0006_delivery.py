"""What a message is about, which route took it, and what became of it; the next message by one index."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("outbox", sa.Column("topic", sa.String(length=64), nullable=True))
    op.add_column("outbox", sa.Column("route", sa.String(length=32), nullable=True))
    op.add_column("outbox", sa.Column("reference", sa.String(length=100), nullable=True))
    op.add_column("outbox", sa.Column("receipt", sa.String(length=16), nullable=True))
    op.create_index("ix_outbox_next", "outbox", ["status", "kind", "attempts", "due_at"])
    op.create_index(op.f("ix_outbox_reference"), "outbox", ["reference"])
    op.drop_index("ix_outbox_due", "outbox")


def downgrade() -> None:
    op.create_index("ix_outbox_due", "outbox", ["status", "due_at"])
    op.drop_index(op.f("ix_outbox_reference"), "outbox")
    op.drop_index("ix_outbox_next", "outbox")
    for column in ("receipt", "reference", "route", "topic"):
        op.drop_column("outbox", column)
