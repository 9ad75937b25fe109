"""The caller's account."""

from dataclasses import dataclass
from datetime import UTC, datetime

from packshot.v1 import packshot_pb2 as pb


@dataclass(frozen=True, slots=True)
class Account:
    """The account of an API key.

    Attributes:
        key_id: The key's public id.
        name: What its owner called it.
        credits_left: Renders that can still begin.
        credits_held: Renders under way; each returns its credit if it fails.
        credits_spent: Renders that succeeded.
        rate_limit_per_s: Calls a second that the key may make on average; 0: no limit.
        created_at: When the key was issued.
    """

    key_id: str
    name: str
    credits_left: int
    credits_held: int
    credits_spent: int
    rate_limit_per_s: float
    created_at: datetime


def from_account(response: pb.GetAccountResponse) -> Account:
    """Read the state of an account."""
    return Account(
        key_id=response.key_id,
        name=response.name,
        credits_left=response.credits_left,
        credits_held=response.credits_held,
        credits_spent=response.credits_spent,
        rate_limit_per_s=response.rate_limit_per_s,
        created_at=response.created_at.ToDatetime(tzinfo=UTC),
    )
