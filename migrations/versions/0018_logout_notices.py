"""What relying parties are to be told of sessions that ended."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_ROW = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "logout_notice",
        sa.Column("id", _ROW, primary_key=True),
        sa.Column("client_id", sa.Integer(), nullable=False),
        sa.Column("sid", sa.String(43), nullable=False),
        sa.Column("sub", sa.String(43), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], ondelete="CASCADE"),
    )
    for name in ("client_id", "due_at", "expires_at"):
        op.create_index(op.f(f"ix_logout_notice_{name}"), "logout_notice", [name])


def downgrade() -> None:
    op.drop_table("logout_notice")
