"""Credits in the database: held before a render, settled by its success, released by its failure.

Each step is one transaction, and every step may be repeated without a second effect: a gateway
that lost the connection at the commit cannot know whether it took place, and simply asks again.

    held ──settle──▶ settled ──release──▶ (gone, credit returned: the reply was not delivered)
     ├────release──▶ (gone, credit returned)
     └────expiry───▶ (gone, credit returned: its gateway was killed, or lost the database)
"""

from collections.abc import Collection

from sqlalchemy import Connection, Engine, delete, insert, select, update

from gateway.accounts.database import hasty
from gateway.accounts.schema import api_keys, holds, now_s
from gateway.accounts.store import transaction
from gateway.errors import KeyInvalidError, KeyRevokedError, OutOfCreditsError


class CreditStore:
    """The credits of one database; every method blocks and may run in any thread.

    All of them raise `AccountsUnavailableError` when the database is away.

    Args:
        engine: The database.
        gateway: Name of this gateway in the rows, for whoever looks at them.
        lease_s: Seconds after which a hold that is not renewed is given back.
    """

    def __init__(self, engine: Engine, gateway: str, lease_s: float) -> None:
        self._engine = engine
        self._gateway = gateway
        self._lease_s = lease_s

    def hold(self, key_id: str, hold_id: str) -> None:
        """Set one credit of a key aside.

        Raises:
            OutOfCreditsError: It has none left.
            KeyRevokedError: It is no longer valid.
            KeyInvalidError: It does not exist.
        """
        # A hold that a power cut takes back costs nobody anything: settling finds that it is gone.
        with transaction(hasty(self._engine)) as connection:
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
            if not taken.rowcount:
                _refuse(connection, key_id)
            connection.execute(
                insert(holds).values(
                    id=hold_id,
                    key_id=key_id,
                    gateway=self._gateway,
                    settled=False,
                    expires_at_s=now_s() + self._lease_s,
                )
            )

    def settle(self, hold_id: str) -> bool:
        """Spend a held credit.

        Returns:
            Whether it is spent, by this call or by one before; False if the hold has expired.
        """
        with transaction(self._engine) as connection:
            key_id = connection.scalar(
                update(holds)
                .where(holds.c.id == hold_id, holds.c.settled.is_(False))
                .values(settled=True, expires_at_s=now_s() + self._lease_s)
                .returning(holds.c.key_id)
            )
            if key_id is None:
                return connection.scalar(select(holds.c.id).where(holds.c.id == hold_id)) == hold_id
            connection.execute(
                update(api_keys)
                .where(api_keys.c.id == key_id)
                .values(
                    credits_held=api_keys.c.credits_held - 1,
                    credits_spent=api_keys.c.credits_spent + 1,
                )
            )
            return True

    def release(self, hold_id: str) -> None:
        """Return a credit whose render brought its caller nothing, settled or not."""
        with transaction(hasty(self._engine)) as connection:
            row = connection.execute(
                delete(holds)
                .where(holds.c.id == hold_id)
                .returning(holds.c.key_id, holds.c.settled)
            ).one_or_none()
            if row is None:
                return
            column = api_keys.c.credits_spent if row.settled else api_keys.c.credits_held
            connection.execute(
                update(api_keys)
                .where(api_keys.c.id == row.key_id)
                .values({column: column - 1, api_keys.c.credits_left: api_keys.c.credits_left + 1})
            )

    def renew(self, hold_ids: Collection[str]) -> None:
        """Put off the expiry of holds whose renders are still under way."""
        with transaction(hasty(self._engine)) as connection:
            connection.execute(
                update(holds)
                .where(holds.c.id.in_(hold_ids), holds.c.settled.is_(False))
                .values(expires_at_s=now_s() + self._lease_s)
            )

    def sweep(self) -> int:
        """Return the credits of expired holds, any gateway's, and forget settled ones.

        Returns:
            How many credits were returned.
        """
        returned = 0
        with transaction(self._engine) as connection:
            # Those that another gateway is sweeping, or settling, at this moment are left to it.
            expired = connection.scalars(
                select(holds.c.id)
                .where(holds.c.expires_at_s < now_s())
                .with_for_update(skip_locked=True)
            ).all()
            rows = connection.execute(
                delete(holds)
                .where(holds.c.id.in_(expired))
                .returning(holds.c.key_id, holds.c.settled)
            ).all()
            lost = [row.key_id for row in rows if not row.settled]
            # In one order everywhere, so that two sweeps cannot wait for each other in a ring.
            for key_id in sorted(set(lost)):
                count = lost.count(key_id)
                returned += count
                connection.execute(
                    update(api_keys)
                    .where(api_keys.c.id == key_id)
                    .values(
                        credits_held=api_keys.c.credits_held - count,
                        credits_left=api_keys.c.credits_left + count,
                    )
                )
        return returned


def _refuse(connection: Connection, key_id: str) -> None:
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
