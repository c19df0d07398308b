"""What somebody agreed to over the years may be longer than what one registration asks for."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("consent") as table:
        table.alter_column("scope", type_=sa.Text(), existing_type=sa.String(1000))


def downgrade() -> None:
    op.execute(sa.text("DELETE FROM consent WHERE length(scope) > 1000"))
    with op.batch_alter_table("consent") as table:
        table.alter_column("scope", type_=sa.String(1000), existing_type=sa.Text())
