"""Which holds are alive: each gateway counts its renewals up, and all watch the counts.

No clock is read: neither a gateway's nor the database's may be trusted not to jump. A hold is dead
once this gateway has seen the same count in `SIGHTINGS` looks in a row, one every `INTERVAL_S`.
Looks that failed do not count. So a database that stood still for a while ends nobody's holds: each
gateway can renew them before the others have looked often enough.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Engine, Row, delete, select, tuple_, update

from gateway.accounts.credits import give_back_held, give_back_spent
from gateway.accounts.database import async_commit
from gateway.accounts.schema import State, holds, now_s
from gateway.accounts.store import transaction

# How often a gateway renews its holds and looks at all of them.
INTERVAL_S: Final = 2.0
SIGHTINGS: Final = 6

# A killed gateway's holds come back about this long after another one, or its successor, has begun
# to look.
LEASE_S: Final = INTERVAL_S * (SIGHTINGS - 1)

# How long a charge is known by its idempotency key, and a refund to whoever asks.
KEPT_S: Final = 86_400.0

# Most holds that one sweep ends: more would be felt by whoever waits for the same rows.
_MOST_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep gave back.

    Attributes:
        returned: Credits that had been held.
        refunded: Credits that had been spent without their gateway's knowledge.
    """

    returned: int
    refunded: int


class HoldLeases:
    """Keeps this gateway's holds alive and ends dead ones; blocks, in one thread at a time.

    Both methods raise `AccountsUnavailableError` when the database is away.

    Args:
        engine: The database.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        # By hold and its count: in how many looks in a row it was seen.
        self._seen: Counter[tuple[str, int]] = Counter()

    def renew(self, live: Collection[str], delivered: Collection[str]) -> None:
        """Say which renders are under way, and which have been delivered.

        Args:
            live: Holds whose renders are not settled yet.
            delivered: Holds that have been settled since the last time. Those that no idempotency
                key may ask for are forgotten.
        """
        # On what is written here for delivered ones nothing may come back that was paid for.
        engine = self._engine if delivered else async_commit(self._engine)
        unsettled = holds.c.state.in_((State.HELD, State.SPENT))
        with transaction(engine) as connection:
            connection.execute(
                update(holds).where(holds.c.id.in_(live), unsettled).values(beats=holds.c.beats + 1)
            )
            if delivered:
                connection.execute(
                    delete(holds).where(
                        holds.c.id.in_(delivered),
                        holds.c.idempotency_key.is_(None),
                        holds.c.state != State.REFUNDED,
                    )
                )
                connection.execute(
                    update(holds)
                    .where(holds.c.id.in_(delivered), holds.c.state == State.SPENT)
                    .values(state=State.DELIVERED)
                )

    def sweep(self) -> Swept:
        """Look at all holds; return the credits of dead ones, and forget what is a day old."""
        with transaction(async_commit(self._engine)) as connection:
            found = connection.execute(
                select(holds.c.id, holds.c.beats).where(
                    holds.c.state.in_((State.HELD, State.SPENT))
                )
            ).all()
            connection.execute(
                delete(holds).where(
                    holds.c.created_at_s < now_s() - KEPT_S,
                    holds.c.state.in_((State.DELIVERED, State.REFUNDED)),
                )
            )
        sightings = [(row.id, row.beats) for row in found]
        self._seen = Counter({each: self._seen[each] + 1 for each in sightings})
        dead = sorted(each for each, count in self._seen.items() if count >= SIGHTINGS)
        return self._end(dead[:_MOST_AT_ONCE]) if dead else Swept(0, 0)

    def _end(self, dead: Sequence[tuple[str, int]]) -> Swept:
        with transaction(self._engine) as connection:
            # One that has been renewed or has moved on by now is left alone, and one that another
            # gateway is ending or settling at this moment is left to it.
            ids = connection.scalars(
                select(holds.c.id)
                .where(tuple_(holds.c.id, holds.c.beats).in_(dead))
                .with_for_update(skip_locked=True)
            ).all()
            still = holds.c.id.in_(ids)
            held = connection.execute(
                delete(holds).where(still, holds.c.state == State.HELD).returning(holds.c.key_id)
            ).all()
            spent = connection.execute(
                update(holds)
                .where(still, holds.c.state == State.SPENT)
                .values(state=State.REFUNDED, idempotency_key=None)
                .returning(holds.c.key_id)
            ).all()
            _give_back(connection, held, spent)
        return Swept(len(held), len(spent))


def _give_back(connection: Connection, held: Sequence[Row[Any]], spent: Sequence[Row[Any]]) -> None:
    """Give credits back in one order everywhere, so that two sweeps cannot wait in a ring."""
    held_by, spent_by = (Counter(row.key_id for row in rows) for rows in (held, spent))
    for key_id in sorted(held_by.keys() | spent_by.keys()):
        if held_by[key_id]:
            give_back_held(connection, key_id, held_by[key_id])
        if spent_by[key_id]:
            give_back_spent(connection, key_id, spent_by[key_id])
