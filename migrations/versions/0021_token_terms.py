"""What tokens are tied to: resource servers and keys; tokens of clients for themselves."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_ROW = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    with op.batch_alter_table("authorization_code") as batch_op:
        batch_op.add_column(sa.Column("resources", sa.JSON()))
        batch_op.add_column(sa.Column("jkt", sa.String(43)))
    with op.batch_alter_table("token") as batch_op:
        batch_op.add_column(sa.Column("resource", sa.String(2000)))
        batch_op.add_column(sa.Column("jkt", sa.String(43)))
    op.create_table(
        "client_token",
        sa.Column("id", _ROW, primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("client_id", sa.Integer(), nullable=False),
        sa.Column("scope", sa.String(1000), nullable=False),
        sa.Column("resource", sa.String(2000), nullable=False),
        sa.Column("jkt", sa.String(43)),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], ondelete="CASCADE"),
        sa.UniqueConstraint("digest", name=op.f("uq_client_token_digest")),
    )
    for name in ("client_id", "expires_at"):
        op.create_index(op.f(f"ix_client_token_{name}"), "client_token", [name])


def downgrade() -> None:
    op.drop_table("client_token")
    with op.batch_alter_table("token") as batch_op:
        batch_op.drop_column("jkt")
        batch_op.drop_column("resource")
    with op.batch_alter_table("authorization_code") as batch_op:
        batch_op.drop_column("jkt")
        batch_op.drop_column("resources")
