"""Disputed cases, the notices that can dispute one, and old accounts that join one there is."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_ROW = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_CASE = "fk_alert_case_id_migration_case"
_HOLDER = "fk_interaction_holder_id_account"


def upgrade() -> None:
    with op.batch_alter_table("migration_case") as batch_op:
        batch_op.add_column(sa.Column("disputed_at", sa.DateTime(timezone=True)))
    with op.batch_alter_table("alert") as batch_op:
        batch_op.alter_column("account_id", existing_type=_ROW, nullable=True)
        batch_op.add_column(sa.Column("case_id", _ROW))
        batch_op.create_foreign_key(
            op.f(_CASE), "migration_case", ["case_id"], ["id"], ondelete="CASCADE"
        )
        batch_op.create_index(op.f("ix_alert_case_id"), ["case_id"])
    with op.batch_alter_table("interaction") as batch_op:
        batch_op.add_column(sa.Column("holder_id", _ROW))
        batch_op.add_column(sa.Column("joining_at", sa.DateTime(timezone=True)))
        batch_op.create_foreign_key(op.f(_HOLDER), "account", ["holder_id"], ["id"])
        batch_op.create_index(op.f("ix_interaction_holder_id"), ["holder_id"])


def downgrade() -> None:
    with op.batch_alter_table("interaction") as batch_op:
        batch_op.drop_index(op.f("ix_interaction_holder_id"))
        batch_op.drop_constraint(op.f(_HOLDER), type_="foreignkey")
        batch_op.drop_column("joining_at")
        batch_op.drop_column("holder_id")
    op.execute("DELETE FROM alert WHERE account_id IS NULL")
    with op.batch_alter_table("alert") as batch_op:
        batch_op.drop_index(op.f("ix_alert_case_id"))
        batch_op.drop_constraint(op.f(_CASE), type_="foreignkey")
        batch_op.drop_column("case_id")
        batch_op.alter_column("account_id", existing_type=_ROW, nullable=False)
    with op.batch_alter_table("migration_case") as batch_op:
        batch_op.drop_column("disputed_at")
