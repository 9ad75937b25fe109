"""Credits in the database: held before a render, spent by its success, returned by its failure.

    held ──settle──▶ spent ──settle──▶ delivered ──a day──▶ (forgotten)
     │                 └──release, expiry──▶ refunded ◀──release──┘
     └──release, expiry──▶ (gone, the credit is left again)

Every step changes a hold only from the state that it expects, in one transaction, so each may be
repeated without a second effect, and steps that overtake each other do no harm: a gateway that lost
the connection at a commit cannot know whether it took place, and simply asks again.

Settling takes two steps because the answer to a commit can be lost. The first spends the credit.
The second says that the gateway knows of it, and only after it the reply is sent. A hold that stays
between the two is one whose gateway never learned that it was paid for: nothing was delivered, and
whoever finds it refunds it (`gateway.accounts.leases`).
"""

from dataclasses import dataclass
from enum import Enum, auto

from sqlalchemy import Column, Connection, Engine, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from gateway.accounts.database import async_commit
from gateway.accounts.schema import State, api_keys, holds, now_s
from gateway.accounts.store import transaction
from gateway.errors import (
    IdempotencyKeyReusedError,
    KeyInvalidError,
    KeyRevokedError,
    OutOfCreditsError,
)


@dataclass(frozen=True, slots=True)
class Once:
    """What makes a repeated request known.

    Attributes:
        key: The caller's idempotency key.
        request_sha256: Digest of the request without it, 32 bytes.
    """

    key: str
    request_sha256: bytes


class Standing(Enum):
    """What there is for a render."""

    HELD = auto()  # a credit of its own
    PAID = auto()  # an earlier charge by the same idempotency key
    BUSY = auto()  # a render by the same idempotency key that has not ended


@dataclass(frozen=True, slots=True)
class Hold:
    """What a render is charged to.

    Attributes:
        standing: What there is.
        hold_id: The hold; an earlier one's if that is paid for or busy.
    """

    standing: Standing
    hold_id: str


class Returned(Enum):
    """What came back by a release."""

    HELD = auto()
    SPENT = auto()
    NOTHING = auto()  # it had come back before, or a repeated render lives on its charge


class CreditStore:
    """The credits of one database; every method blocks and may run in any thread.

    All of them raise `AccountsUnavailableError` when the database is away.

    Args:
        engine: The database.
        gateway: Name of this gateway in the rows, for whoever looks at them.
    """

    def __init__(self, engine: Engine, gateway: str) -> None:
        self._engine = engine
        self._gateway = gateway

    def hold(self, key_id: str, hold_id: str, once: Once | None = None) -> Hold:
        """Set one credit of a key aside, unless its idempotency key has been paid for.

        Raises:
            OutOfCreditsError: It has none left.
            KeyRevokedError: It is no longer valid.
            KeyInvalidError: It does not exist.
            IdempotencyKeyReusedError: The idempotency key came with another request before.
        """
        try:
            # A hold that a power cut takes back costs nobody anything: settling finds it gone.
            with transaction(async_commit(self._engine)) as connection:
                earlier = _earlier(connection, key_id, once)
                if earlier:
                    return earlier
                if not _take(connection, key_id):
                    # It may have taken the last credit while this one waited for the row.
                    earlier = _earlier(connection, key_id, once)
                    return earlier or _refuse(connection, key_id)
                connection.execute(
                    insert(holds).values(
                        id=hold_id,
                        key_id=key_id,
                        gateway=self._gateway,
                        state=State.HELD,
                        beats=0,
                        created_at_s=now_s(),
                        idempotency_key=once.key if once else None,
                        request_sha256=once.request_sha256 if once else None,
                        repeats=0,
                    )
                )
                return Hold(Standing.HELD, hold_id)
        except IntegrityError:
            # Another call came first with the same key, in the middle of this.
            with transaction(async_commit(self._engine)) as connection:
                earlier = _earlier(connection, key_id, once)
            return earlier or Hold(Standing.BUSY, hold_id)

    def settle(self, hold_id: str) -> bool:
        """Spend a held credit, and have it known that this gateway knows.

        Returns:
            Whether the reply may be sent; False if the hold has expired or was released.
        """
        with transaction(self._engine) as connection:
            key_id = connection.scalar(
                update(holds)
                .where(holds.c.id == hold_id, holds.c.state == State.HELD)
                .values(state=State.SPENT)
                .returning(holds.c.key_id)
            )
            if key_id is not None:
                connection.execute(
                    update(api_keys)
                    .where(api_keys.c.id == key_id)
                    .values(
                        credits_held=api_keys.c.credits_held - 1,
                        credits_spent=api_keys.c.credits_spent + 1,
                    )
                )
        # If a power cut takes this one back, the next renewal writes it again.
        with transaction(async_commit(self._engine)) as connection:
            known = connection.execute(
                update(holds)
                .where(holds.c.id == hold_id, holds.c.state.in_((State.SPENT, State.DELIVERED)))
                .values(state=State.DELIVERED)
            )
            return bool(known.rowcount)

    def repeat(self, hold_id: str) -> bool:
        """Deliver once more on a charge that stands; False if it does not any more."""
        with transaction(self._engine) as connection:
            standing = connection.execute(
                update(holds)
                .where(holds.c.id == hold_id, holds.c.state == State.DELIVERED)
                .values(repeats=holds.c.repeats + 1)
            )
            return bool(standing.rowcount)

    def release(self, hold_id: str) -> Returned:
        """Return a credit whose render brought its caller nothing, spent or not."""
        with transaction(async_commit(self._engine)) as connection:
            key_id = connection.scalar(
                delete(holds)
                .where(holds.c.id == hold_id, holds.c.state == State.HELD)
                .returning(holds.c.key_id)
            )
            if key_id is not None:
                give_back_held(connection, key_id, 1)
                return Returned.HELD
        with transaction(self._engine) as connection:
            key_id = connection.scalar(
                update(holds)
                .where(
                    holds.c.id == hold_id,
                    holds.c.state.in_((State.SPENT, State.DELIVERED)),
                    holds.c.repeats == 0,
                )
                .values(state=State.REFUNDED, idempotency_key=None)
                .returning(holds.c.key_id)
            )
            if key_id is None:
                return Returned.NOTHING
            give_back_spent(connection, key_id, 1)
            return Returned.SPENT


def give_back_held(connection: Connection, key_id: str, count: int) -> None:
    """Make credits of a key that were held ones that are left."""
    _give_back(connection, key_id, api_keys.c.credits_held, count)


def give_back_spent(connection: Connection, key_id: str, count: int) -> None:
    """Make credits of a key that were spent ones that are left."""
    _give_back(connection, key_id, api_keys.c.credits_spent, count)


def _give_back(connection: Connection, key_id: str, taken: Column[int], count: int) -> None:
    connection.execute(
        update(api_keys)
        .where(api_keys.c.id == key_id)
        .values({taken: taken - count, api_keys.c.credits_left: api_keys.c.credits_left + count})
    )


def _take(connection: Connection, key_id: str) -> bool:
    # The condition is judged under the row's lock: no race can take the same credit twice.
    taken = connection.execute(
        update(api_keys)
        .where(
            api_keys.c.id == key_id,
            api_keys.c.revoked_at_s.is_(None),
            api_keys.c.credits_left > 0,
        )
        .values(
            credits_left=api_keys.c.credits_left - 1,
            credits_held=api_keys.c.credits_held + 1,
        )
    )
    return bool(taken.rowcount)


def _earlier(connection: Connection, key_id: str, once: Once | None) -> Hold | None:
    """Return the hold that an idempotency key has already."""
    if once is None:
        return None
    row = connection.execute(
        select(holds.c.id, holds.c.state, holds.c.request_sha256, api_keys.c.revoked_at_s)
        .join(api_keys)
        .where(holds.c.key_id == key_id, holds.c.idempotency_key == once.key)
    ).one_or_none()
    if row is None:
        return None
    if row.revoked_at_s is not None:
        raise KeyRevokedError("the API key is revoked")
    if bytes(row.request_sha256) != once.request_sha256:
        raise IdempotencyKeyReusedError(
            f"the idempotency key {once.key!r} came with another request before; a key names one "
            f"request, for a day",
            field="idempotency_key",
            figures={"idempotency_key": once.key},
        )
    return Hold(Standing.PAID if row.state == State.DELIVERED else Standing.BUSY, row.id)


def _refuse(connection: Connection, key_id: str) -> Hold:
    """Say why there is no credit; raises always."""
    row = connection.execute(select(api_keys).where(api_keys.c.id == key_id)).one_or_none()
    if row is None:
        raise KeyInvalidError("there is no such API key")
    if row.revoked_at_s is not None:
        raise KeyRevokedError("the API key is revoked")
    raise OutOfCreditsError(
        f"the API key {key_id} has no credits left, and {row.credits_held} held by renders under "
        f"way; a render costs 1",
        figures={
            "key_id": key_id,
            "credits_left": row.credits_left,
            "credits_held": row.credits_held,
            "credits_spent": row.credits_spent,
        },
    )
