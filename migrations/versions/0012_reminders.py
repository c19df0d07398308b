"""Reminders to people who proved a mailbox and stopped, and who wants none."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("migration_case") as batch_op:
        batch_op.add_column(sa.Column("reminder_email", sa.String(254)))
        batch_op.add_column(sa.Column("reminder_locale", sa.String(8)))
        batch_op.add_column(sa.Column("reminder_digest", sa.String(64)))
        batch_op.add_column(
            sa.Column("reminders", sa.Integer(), nullable=False, server_default="0")
        )
        batch_op.add_column(sa.Column("reminded_at", sa.DateTime(timezone=True)))
        batch_op.create_index("ix_migration_case_reminder_digest", ["reminder_digest"])
    op.create_table(
        "reminder_stop",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_reminder_stop")),
    )
    op.create_index("ix_reminder_stop_expires_at", "reminder_stop", ["expires_at"])


def downgrade() -> None:
    op.drop_table("reminder_stop")
    with op.batch_alter_table("migration_case") as batch_op:
        batch_op.drop_index("ix_migration_case_reminder_digest")
        for name in ("email", "locale", "digest"):
            batch_op.drop_column(f"reminder_{name}")
        batch_op.drop_column("reminders")
        batch_op.drop_column("reminded_at")
