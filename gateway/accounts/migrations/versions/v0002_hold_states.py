"""Holds with a state, renewals that are counted, and idempotency keys."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Carry the holds over: those that were not settled are returned by the next sweeps."""
    op.rename_table("holds", "holds_0001")
    op.drop_index("ix_holds_expires_at_s", "holds_0001")
    op.create_table(
        "holds",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("key_id", sa.String(16), sa.ForeignKey("api_keys.id"), nullable=False),
        sa.Column("gateway", sa.String(200), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("beats", sa.BigInteger, nullable=False),
        sa.Column("created_at_s", sa.Double, nullable=False),
        sa.Column("idempotency_key", sa.String(128)),
        sa.Column("request_sha256", sa.LargeBinary(32)),
        sa.Column("repeats", sa.BigInteger, nullable=False),
    )
    op.execute(
        "INSERT INTO holds (id, key_id, gateway, state, beats, created_at_s, repeats) "
        "SELECT id, key_id, gateway, CASE WHEN settled THEN 'delivered' ELSE 'held' END, 0, "
        "expires_at_s, 0 FROM holds_0001"
    )
    op.drop_table("holds_0001")
    op.create_index("ix_holds_state", "holds", ["state"])
    op.create_index("ix_holds_created_at_s", "holds", ["created_at_s"])
    op.create_index("ix_holds_idempotency_key", "holds", ["key_id", "idempotency_key"], unique=True)
