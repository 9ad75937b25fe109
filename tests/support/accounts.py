"""Accounts for tests: a database with its tables, and keys in it."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, func, select

from gateway.accounts.database import open_engine, parse_url
from gateway.accounts.migrate import migrate
from gateway.accounts.rate import RateLimit
from gateway.accounts.schema import holds
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

    def unsettled(self) -> int:
        """Count the holds that have not been settled."""
        with self.engine.begin() as connection:
            return connection.scalars(
                select(func.count()).select_from(holds).where(holds.c.settled.is_(False))
            ).one()


@contextmanager
def books_at(url: str) -> Iterator[Books]:
    """Open a database and make its tables."""
    books = Books(url)
    migrate(books.engine)
    yield books
    books.engine.dispose()
