"""Clients that register themselves, and the tokens that let them."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "registration_token",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False, unique=True),
        sa.Column("note", sa.String(100), nullable=False),
        sa.Column("actor", sa.String(100), nullable=False),
        sa.Column("uses_left", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_registration_token_expires_at", "registration_token", ["expires_at"])
    with op.batch_alter_table("client") as table:
        table.add_column(sa.Column("management_digest", sa.String(64)))
        table.add_column(sa.Column("kept_until", sa.DateTime(timezone=True)))
        table.create_index("ix_client_kept_until", ["kept_until"])


def downgrade() -> None:
    op.drop_table("registration_token")
    with op.batch_alter_table("client") as table:
        table.drop_index("ix_client_kept_until")
        table.drop_column("kept_until")
        table.drop_column("management_digest")
