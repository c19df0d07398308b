"""The salt of pairwise subjects, made once and kept: with another one every such subject would be another.

It is not wrapped: whoever reads this database knows who is who anyway, and no key may be lost with it.
"""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    table = op.create_table("pairwise_salt", sa.Column("value", sa.String(43), primary_key=True))
    op.bulk_insert(table, [{"value": secrets.token_urlsafe(32)}])


def downgrade() -> None:
    op.drop_table("pairwise_salt")
