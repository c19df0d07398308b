"""Registration tokens with which clients may be registered that do without PKCE."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    required = sa.Column("require_pkce", sa.Boolean(), nullable=False, server_default=sa.true())
    op.add_column("registration_token", required)
    with op.batch_alter_table("registration_token") as table:
        table.alter_column("require_pkce", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("registration_token") as table:
        table.drop_column("require_pkce")
