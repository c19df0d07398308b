"""Client metadata in one JSON column: what RFC 7591 and later standards name grows without end."""

from datetime import date
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def _columns() -> list[sa.Column[Any]]:
    """What the table had, each with what a row without a word of it gets."""
    return [
        sa.Column("client_name", sa.String(200), nullable=False, server_default=""),
        sa.Column("client_uri", sa.String(2000), nullable=False, server_default=""),
        sa.Column("initiate_login_uri", sa.String(2000), nullable=False, server_default=""),
        sa.Column("redirect_uris", sa.JSON(), nullable=False, server_default="[]"),
        sa.Column("post_logout_redirect_uris", sa.JSON(), nullable=False, server_default="[]"),
        sa.Column("grant_types", sa.JSON(), nullable=False, server_default="[]"),
        sa.Column("scope", sa.String(1000), nullable=False, server_default=""),
        sa.Column("token_endpoint_auth_method", sa.String(32), nullable=False, server_default=""),
        sa.Column("id_token_signed_response_alg", sa.String(16), nullable=False, server_default=""),
        sa.Column("require_pkce", sa.Boolean(), nullable=False, server_default=sa.true()),
        sa.Column("default_max_age", sa.Integer()),
        sa.Column("legacy_sources", sa.JSON(), nullable=False, server_default="[]"),
        sa.Column("legacy_until", sa.Date()),
    ]


def _table() -> sa.TableClause:
    names = [sa.column(column.name, column.type) for column in _columns()]
    return sa.table("client", sa.column("id"), sa.column("registration", sa.JSON()), *names)


def upgrade() -> None:
    with op.batch_alter_table("client") as batch_op:
        batch_op.add_column(
            sa.Column("registration", sa.JSON(), nullable=False, server_default="{}")
        )
    client, names = _table(), [column.name for column in _columns()]
    for row in op.get_bind().execute(sa.select(client)).mappings().all():
        values = {name: row[name] for name in names}
        if values["legacy_until"]:
            values["legacy_until"] = values["legacy_until"].isoformat()
        changed = sa.update(client).where(client.c.id == row["id"])
        op.execute(changed.values(registration=values))
    with op.batch_alter_table("client") as batch_op:
        batch_op.alter_column("registration", server_default=None)
        for name in names:
            batch_op.drop_column(name)


def downgrade() -> None:
    with op.batch_alter_table("client") as batch_op:
        for column in _columns():
            batch_op.add_column(column)
    client, names = _table(), [column.name for column in _columns()]
    for row in op.get_bind().execute(sa.select(client.c.id, client.c.registration)).all():
        values = {name: row.registration[name] for name in names}
        if values["legacy_until"]:
            values["legacy_until"] = date.fromisoformat(values["legacy_until"])
        op.execute(sa.update(client).where(client.c.id == row.id).values(values))
    with op.batch_alter_table("client") as batch_op:
        batch_op.drop_column("registration")
