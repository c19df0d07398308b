"""Rows of old systems that are loaded ahead, and how far each load came."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "legacy_load",
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("holder", sa.String(100), nullable=True),
        sa.Column("beat", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_legacy_load")),
    )
    texts = ("password_hash", "salt", "scheme", "email", "phone")
    op.create_table(
        "legacy_row",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("lookup", sa.String(254), nullable=False),
        sa.Column("identifier", sa.String(254), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in texts),
        sa.Column("profile", sa.JSON(), nullable=False),
        sa.Column("attributes", sa.JSON(), nullable=False),
        sa.Column("locked", sa.Boolean(), nullable=False),
        sa.Column("must_change", sa.Boolean(), nullable=False),
        sa.Column("digest", sa.String(44), nullable=False),
        sa.Column("load", sa.Integer(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_legacy_row")),
        sa.UniqueConstraint("source", "key", name=op.f("uq_legacy_row_source_key")),
    )
    with op.batch_alter_table("legacy_row") as batch_op:
        batch_op.create_index(
            batch_op.f("ix_legacy_row_source_lookup"), ["source", "lookup"], unique=False
        )


def downgrade() -> None:
    op.drop_table("legacy_row")
    op.drop_table("legacy_load")
