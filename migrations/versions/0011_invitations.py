"""Invitations, and the proofs of a migration besides the old password."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_ROW = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_REFERS = {
    "forgotten_identity_id": "legacy_identity",
    "invitation_id": "invitation",
}


def upgrade() -> None:
    _invitation()
    with op.batch_alter_table("challenge") as batch_op:
        batch_op.add_column(sa.Column("identity_id", sa.Integer()))
        batch_op.add_column(sa.Column("deliver_to", sa.String(254)))
    with op.batch_alter_table("interaction") as batch_op:
        batch_op.add_column(sa.Column("legacy_proof", sa.String(32)))
        batch_op.add_column(sa.Column("legacy_contact", sa.String(254)))
        batch_op.add_column(sa.Column("recovery_email", sa.String(254)))
        batch_op.add_column(sa.Column("forgotten_profile", sa.JSON()))
        batch_op.add_column(sa.Column("invitation_asked_at", sa.DateTime(timezone=True)))
        for column, table in _REFERS.items():
            batch_op.add_column(sa.Column(column, _ROW))
            name = op.f(f"fk_interaction_{column}_{table}")
            batch_op.create_foreign_key(name, table, [column], ["id"])
            batch_op.create_index(op.f(f"ix_interaction_{column}"), [column])


def _invitation() -> None:
    op.create_table(
        "invitation",
        sa.Column("id", _ROW, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("identity_id", _ROW),
        sa.Column("account_id", _ROW),
        sa.Column("epoch", sa.Integer()),
        sa.Column("email", sa.String(254)),
        sa.Column("without_phone", sa.Boolean(), nullable=False),
        sa.Column("profile", sa.JSON(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.String(100), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_invitation_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["identity_id"],
            ["legacy_identity.id"],
            name=op.f("fk_invitation_identity_id_legacy_identity"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation")),
        sa.UniqueConstraint("digest", name=op.f("uq_invitation_digest")),
    )
    for column in ("account_id", "expires_at", "identity_id"):
        op.create_index(op.f(f"ix_invitation_{column}"), "invitation", [column])


def downgrade() -> None:
    with op.batch_alter_table("interaction") as batch_op:
        for column, table in _REFERS.items():
            batch_op.drop_index(op.f(f"ix_interaction_{column}"))
            name = op.f(f"fk_interaction_{column}_{table}")
            batch_op.drop_constraint(name, type_="foreignkey")
            batch_op.drop_column(column)
        for column in ("legacy_proof", "legacy_contact", "recovery_email", "forgotten_profile"):
            batch_op.drop_column(column)
        batch_op.drop_column("invitation_asked_at")
    with op.batch_alter_table("challenge") as batch_op:
        batch_op.drop_column("identity_id")
        batch_op.drop_column("deliver_to")
    op.drop_table("invitation")
