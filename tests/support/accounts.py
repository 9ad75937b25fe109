"""Accounts for tests: a database with its tables, and keys in it."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, func, select

from gateway.accounts.database import open_engine, parse_url
from gateway.accounts.leases import LEASE_S
from gateway.accounts.migrate import migrate
from gateway.accounts.rate import RateLimit
from gateway.accounts.schema import State, holds
from gateway.accounts.store import KeyStore

ANY_RATE = RateLimit(0, 1)


class Books:
    """A database of accounts, as an operator sees it.

    Args:
        url: As PACKSHOT_ACCOUNTS takes it.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine: Engine = open_engine(parse_url(url))
        self.keys = KeyStore(self.engine)

    def issue(self, credits_granted: int, limit: RateLimit = ANY_RATE) -> str:
        """Make a key and return it whole."""
        return str(self.keys.issue("test", credits_granted, limit))

    def figures(self, key: str) -> tuple[int, int, int]:
        """Return the credits left, held and spent."""
        account = self.keys.find(key.split("_")[1])
        assert account
        return account.credits_left, account.credits_held, account.credits_spent

    def holds(self) -> Counter[str]:
        """Count the holds by their states."""
        with self.engine.begin() as connection:
            rows = connection.execute(select(holds.c.state, func.count()).group_by(holds.c.state))
            return Counter({str(state): count for state, count in rows})

    def unsettled(self) -> int:
        """Count the holds whose credit is neither delivered for nor given back."""
        counts = self.holds()
        return counts[State.HELD] + counts[State.SPENT]

    def faults(
        self,
        key: str,
        granted: int,
        delivered: int,
        unknown: int = 0,
        timeout_s: float = 3 * LEASE_S,
    ) -> list[str]:
        """Say what does not balance once nothing is under way; empty if all does.

        Args:
            key: The API key, whole.
            granted: Credits that it was ever given.
            delivered: Renders that its callers received, one for each idempotency key.
            unknown: Renders that callers gave up, or whose connection broke: the reply of each may
                have been on its way.
            timeout_s: Seconds to wait for holds to be settled or to expire.
        """
        give_up_s = time.monotonic() + timeout_s
        while self.unsettled() and time.monotonic() < give_up_s:
            time.sleep(0.2)
        left, held, spent = self.figures(key)
        checks = {
            f"{held} credits are still held, {dict(self.holds())}": not held + self.unsettled(),
            f"{left} left, {held} held and {spent} spent are not {granted}": (
                left + held + spent == granted
            ),
            f"{delivered} delivered, but only {spent} spent": delivered <= spent,
            f"{spent} spent, but only {delivered} delivered, and {unknown} given up": (
                spent <= delivered + unknown
            ),
        }
        return [fault for fault, balances in checks.items() if not balances]


@contextmanager
def books_at(url: str) -> Iterator[Books]:
    """Open a database and make its tables."""
    books = Books(url)
    migrate(books.engine)
    yield books
    books.engine.dispose()
