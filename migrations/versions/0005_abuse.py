"""What became of SMS, country by country, and the countries to which none goes."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sms_conversion",
        sa.Column("prefix", sa.String(length=4), nullable=False),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent", sa.Integer(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("prefix", "hour", name=op.f("pk_sms_conversion")),
    )
    op.create_index(op.f("ix_sms_conversion_hour"), "sms_conversion", ["hour"])
    op.create_table(
        "sms_stop",
        sa.Column("prefix", sa.String(length=4), nullable=False),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent", sa.Integer(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("prefix", name=op.f("pk_sms_stop")),
    )


def downgrade() -> None:
    op.drop_table("sms_stop")
    op.drop_table("sms_conversion")
