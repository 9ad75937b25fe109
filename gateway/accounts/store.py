"""The API keys in the database: made, found, listed, revoked, topped up."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Row, insert, select, update
from sqlalchemy.exc import DatabaseError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from gateway.accounts.database import async_commit
from gateway.accounts.keys import KeyText, hash_secret, new_key
from gateway.accounts.rate import RateLimit
from gateway.accounts.schema import api_keys, now_s
from gateway.errors import AccountsUnavailableError

# What one fails with that is restarted, unreachable, read-only, locked or too slow.
_AWAY = (InternalError, OperationalError)


@dataclass(frozen=True, slots=True)
class Account:
    """An API key and what it may do.

    Attributes:
        key_id: The key's public part.
        name: What its owner called it.
        secret_sha256: What is kept of its secret.
        created_at_s: When it was issued, seconds since 1970.
        revoked: Whether it is no longer valid.
        limit: How often it may call.
        credits_left: Renders that can still begin.
        credits_held: Renders under way.
        credits_spent: Renders that succeeded.
    """

    key_id: str
    name: str
    secret_sha256: bytes
    created_at_s: float
    revoked: bool
    limit: RateLimit
    credits_left: int
    credits_held: int
    credits_spent: int


class KeyStore:
    """The keys of one database; every method blocks and may run in any thread.

    All of them raise `AccountsUnavailableError` when the database is away.

    Args:
        engine: The database.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def issue(self, name: str, credits_granted: int, limit: RateLimit) -> KeyText:
        """Make a key; this is the only time that its secret is known."""
        key = new_key()
        with transaction(self._engine) as connection:
            connection.execute(
                insert(api_keys).values(
                    id=key.key_id,
                    name=name,
                    secret_sha256=hash_secret(key.secret),
                    created_at_s=now_s(),
                    rate_per_s=limit.per_s,
                    burst=limit.burst,
                    credits_left=credits_granted,
                    credits_held=0,
                    credits_spent=0,
                )
            )
        return key

    def find(self, key_id: str) -> Account | None:
        """Look a key up; None if there is none."""
        with transaction(async_commit(self._engine)) as connection:
            row = connection.execute(select(api_keys).where(api_keys.c.id == key_id)).one_or_none()
        return _account(row) if row else None

    def find_all(self, key_ids: Collection[str]) -> dict[str, Account]:
        """Look keys up by their ids; those that there are not are left out."""
        with transaction(async_commit(self._engine)) as connection:
            rows = connection.execute(select(api_keys).where(api_keys.c.id.in_(key_ids))).all()
        return {row.id: _account(row) for row in rows}

    def all(self) -> list[Account]:
        """List the keys in the order in which they were issued."""
        with transaction(self._engine) as connection:
            rows = connection.execute(
                select(api_keys).order_by(api_keys.c.created_at_s, api_keys.c.id)
            ).all()
        return [_account(row) for row in rows]

    def revoke(self, key_id: str) -> bool:
        """Make a key invalid for good; False if there is none, and no harm if it is already."""
        with transaction(self._engine) as connection:
            known = connection.execute(
                update(api_keys)
                .where(api_keys.c.id == key_id, api_keys.c.revoked_at_s.is_(None))
                .values(revoked_at_s=now_s())
            )
            if known.rowcount:
                return True
            return connection.scalar(select(api_keys.c.id).where(api_keys.c.id == key_id)) == key_id

    def grant(self, key_id: str, credits_granted: int) -> bool:
        """Add credits to a key; False if there is none."""
        with transaction(self._engine) as connection:
            return bool(
                connection.execute(
                    update(api_keys)
                    .where(api_keys.c.id == key_id)
                    .values(credits_left=api_keys.c.credits_left + credits_granted)
                ).rowcount
            )


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """Run a block in one transaction; a database that is away becomes an error of the domain."""
    try:
        with engine.begin() as connection:
            yield connection
    except DatabaseError as exc:
        # SQLite says by the base of all errors alone that a file is damaged.
        if not isinstance(exc, _AWAY) and type(exc) is not DatabaseError:
            raise
        raise AccountsUnavailableError("the accounts cannot be reached now") from exc
    except (InterfaceError, PoolTimeoutError) as exc:
        raise AccountsUnavailableError("the accounts cannot be reached now") from exc


def _account(row: Row[Any]) -> Account:
    return Account(
        key_id=row.id,
        name=row.name,
        secret_sha256=bytes(row.secret_sha256),
        created_at_s=row.created_at_s,
        revoked=row.revoked_at_s is not None,
        limit=RateLimit(row.rate_per_s, row.burst),
        credits_left=row.credits_left,
        credits_held=row.credits_held,
        credits_spent=row.credits_spent,
    )
