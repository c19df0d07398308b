"""Recoveries: what one browser has shown of them. Interactions of our own pages, which have no client."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_ROW = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_FOREIGN = "fk_interaction_recovery_account_id_account"
_INDEX = "ix_interaction_recovery_account_id"


def upgrade() -> None:
    with op.batch_alter_table("interaction") as batch_op:
        batch_op.add_column(sa.Column("recovery_asked_at", sa.DateTime(timezone=True)))
        batch_op.add_column(sa.Column("recovery_account_id", _ROW))
        batch_op.add_column(sa.Column("recovery_epoch", sa.Integer()))
        batch_op.add_column(sa.Column("recovery_phone", sa.String(length=16)))
        batch_op.create_foreign_key(op.f(_FOREIGN), "account", ["recovery_account_id"], ["id"])
        batch_op.create_index(op.f(_INDEX), ["recovery_account_id"])
        batch_op.alter_column("client_id", existing_type=sa.Integer(), nullable=True)


def downgrade() -> None:
    op.execute("DELETE FROM interaction WHERE client_id IS NULL")
    with op.batch_alter_table("interaction") as batch_op:
        batch_op.alter_column("client_id", existing_type=sa.Integer(), nullable=False)
        batch_op.drop_index(op.f(_INDEX))
        batch_op.drop_constraint(op.f(_FOREIGN), type_="foreignkey")
        for name in ("phone", "epoch", "account_id", "asked_at"):
            batch_op.drop_column(f"recovery_{name}")
