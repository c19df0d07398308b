"""What people agreed to: what applications of others learn, and the terms of the deployment."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_ROW = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_ANSWERS = ("terms_accepted_at", "consented_at", "refused_at")


def upgrade() -> None:
    op.create_table(
        "consent",
        sa.Column("id", _ROW, primary_key=True),
        sa.Column("account_id", _ROW, nullable=False),
        sa.Column("client_id", sa.Integer(), nullable=False),
        sa.Column("scope", sa.String(1000), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], ondelete="CASCADE"),
        sa.UniqueConstraint("account_id", "client_id"),
    )
    op.create_index(op.f("ix_consent_client_id"), "consent", ["client_id"])
    with op.batch_alter_table("account") as batch_op:
        batch_op.add_column(sa.Column("terms_version", sa.String(50)))
        batch_op.add_column(sa.Column("terms_accepted_at", sa.DateTime(timezone=True)))
    with op.batch_alter_table("interaction") as batch_op:
        for name in _ANSWERS:
            batch_op.add_column(sa.Column(name, sa.DateTime(timezone=True)))


def downgrade() -> None:
    with op.batch_alter_table("interaction") as batch_op:
        for name in _ANSWERS:
            batch_op.drop_column(name)
    with op.batch_alter_table("account") as batch_op:
        batch_op.drop_column("terms_accepted_at")
        batch_op.drop_column("terms_version")
    op.drop_table("consent")
