"""Keys and holds."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the first tables."""
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("secret_sha256", sa.LargeBinary(32), nullable=False),
        sa.Column("created_at_s", sa.Double, nullable=False),
        sa.Column("revoked_at_s", sa.Double),
        sa.Column("rate_per_s", sa.Double, nullable=False),
        sa.Column("burst", sa.Integer, nullable=False),
        sa.Column("credits_left", sa.BigInteger, nullable=False),
        sa.Column("credits_held", sa.BigInteger, nullable=False),
        sa.Column("credits_spent", sa.BigInteger, nullable=False),
        sa.CheckConstraint("credits_left >= 0", name="credits_left_not_negative"),
        sa.CheckConstraint("credits_held >= 0", name="credits_held_not_negative"),
        sa.CheckConstraint("credits_spent >= 0", name="credits_spent_not_negative"),
    )
    op.create_table(
        "holds",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("key_id", sa.String(16), sa.ForeignKey("api_keys.id"), nullable=False),
        sa.Column("gateway", sa.String(200), nullable=False),
        sa.Column("settled", sa.Boolean, nullable=False),
        sa.Column("expires_at_s", sa.Double, nullable=False),
    )
    op.create_index("ix_holds_expires_at_s", "holds", ["expires_at_s"])
