"""The tables, and the database's own clock.

Every credit ever granted is in exactly one place: granted = left + held + spent.
"""

from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

metadata = MetaData()

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("secret_sha256", LargeBinary(32), nullable=False),
    Column("created_at_s", Double, nullable=False),
    Column("revoked_at_s", Double),
    Column("rate_per_s", Double, nullable=False),
    Column("burst", Integer, nullable=False),
    Column("credits_left", BigInteger, nullable=False),
    Column("credits_held", BigInteger, nullable=False),
    Column("credits_spent", BigInteger, nullable=False),
    # The statements see to it already; the database holds it whatever they become.
    CheckConstraint("credits_left >= 0", name="credits_left_not_negative"),
    CheckConstraint("credits_held >= 0", name="credits_held_not_negative"),
    CheckConstraint("credits_spent >= 0", name="credits_spent_not_negative"),
)


class State(StrEnum):
    """Where the credit of one render is.

    `gateway.accounts.credits` draws how they follow each other.
    """

    HELD = "held"
    SPENT = "spent"  # its gateway may not have heard of it
    DELIVERED = "delivered"  # its gateway has, and sends the reply
    REFUNDED = "refunded"  # it was spent, and nothing was delivered for it


# One row for each render under way, and for a day after where something may be asked about it: by
# its idempotency key, or by whoever wonders at a refund.
holds = Table(
    "holds",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("key_id", ForeignKey(api_keys.c.id), nullable=False),
    Column("gateway", String(200), nullable=False),
    Column("state", String(10), nullable=False, index=True),
    # Counts the renewals. Whether a hold is alive is told from this, and from no clock.
    Column("beats", BigInteger, nullable=False),
    Column("created_at_s", Double, nullable=False, index=True),
    Column("idempotency_key", String(128)),
    Column("request_sha256", LargeBinary(32)),
    # Renders delivered without a charge of their own, since this one's stood.
    Column("repeats", BigInteger, nullable=False),
    Index("ix_holds_idempotency_key", "key_id", "idempotency_key", unique=True),
)


class now_s(FunctionElement[float]):  # noqa: N801  it is written as SQL's functions are
    """Seconds since 1970 by the database's clock, the one clock that all gateways share."""

    type = Double()
    inherit_cache = True


@compiles(now_s, "sqlite")
def _sqlite_now_s(_element: now_s, _compiler: Any, **_options: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(now_s, "postgresql")
def _postgresql_now_s(_element: now_s, _compiler: Any, **_options: Any) -> str:
    return "extract(epoch from clock_timestamp())::double precision"
