"""How far people came in a migration, and pauses of the campaign."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_MOMENTS = ("code_sent", "mailbox_proven", "confirmed", "phone_settled", "conflict")
_COUNTS = (
    *("started", "code_sent", "proven", "confirmed", "phone"),
    *("refused", "done", "conflicts", "abandoned"),
)


def upgrade() -> None:
    with op.batch_alter_table("migration_case") as batch_op:
        batch_op.add_column(sa.Column("group_name", sa.String(64)))
        for name in _MOMENTS:
            batch_op.add_column(sa.Column(f"{name}_at", sa.DateTime(timezone=True)))
    op.create_table(
        "campaign_pause",
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True)),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("actor", sa.String(100), nullable=False),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_campaign_pause")),
    )
    op.create_table(
        "campaign_day",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("group_name", sa.String(64), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in _COUNTS),
        sa.PrimaryKeyConstraint("day", "source", "group_name", name=op.f("pk_campaign_day")),
    )


def downgrade() -> None:
    op.drop_table("campaign_day")
    op.drop_table("campaign_pause")
    with op.batch_alter_table("migration_case") as batch_op:
        batch_op.drop_column("group_name")
        for name in _MOMENTS:
            batch_op.drop_column(f"{name}_at")
