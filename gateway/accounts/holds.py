"""One credit for one render that succeeds: the block that a render runs in."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from typing import Final, Protocol

from gateway.accounts.credits import CreditStore, Hold, Once, Standing
from gateway.accounts.store import Account, KeyStore
from gateway.accounts.threads import DatabaseThreads
from gateway.accounts.upkeep import Upkeep
from gateway.admission.caller import Caller
from gateway.errors import AccountsUnavailableError, DeadlineError, KeyInvalidError, NoAccountsError
from gateway.observability.labels import ChargeOutcome, Operation
from gateway.observability.metrics import Metrics

# How long settling is tried: a failover of the database may be survived, a caller is not kept long.
_PERSISTENCE_S: Final = 5.0
_FIRST_WAIT_S: Final = 0.05

# How often a render asks whether an earlier one with the same idempotency key has ended.
_POLL_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class Repeatable:
    """What a caller says of a request that may come again.

    Attributes:
        key: The idempotency key.
        digest: Gives the SHA-256 of the request without it.
    """

    key: str
    digest: Callable[[], Awaitable[bytes]]


class CreditHolds(Protocol):
    """What the service asks of the accounts."""

    def hold(
        self, caller: Caller, repeatable: Repeatable | None, timeout_s: float
    ) -> AbstractAsyncContextManager[None]:
        """Hold one credit for a block; spend it if the block succeeds, else return it."""
        ...

    async def account(self, caller: Caller) -> Account:
        """Tell the state of the caller's account."""
        ...


class NoCreditHolds:
    """The service without accounts: nothing is held."""

    def hold(
        self,
        caller: Caller,  # noqa: ARG002
        repeatable: Repeatable | None,  # noqa: ARG002
        timeout_s: float,  # noqa: ARG002
    ) -> AbstractAsyncContextManager[None]:
        """Hold nothing."""
        return nullcontext()

    async def account(self, caller: Caller) -> Account:  # noqa: ARG002
        """Refuse: there are no accounts."""
        raise NoAccountsError("this service keeps no accounts")


class DatabaseCreditHolds:
    """Holds credits in the accounts' database.

    Args:
        keys: The keys.
        store: Their credits.
        upkeep: Keeps holds alive, and returns what could not be returned at once.
        threads: Where the database work runs.
        metrics: Counts the charges.
    """

    def __init__(
        self,
        keys: KeyStore,
        store: CreditStore,
        upkeep: Upkeep,
        threads: DatabaseThreads,
        metrics: Metrics,
    ) -> None:
        self._keys = keys
        self._store = store
        self._upkeep = upkeep
        self._threads = threads
        self._metrics = metrics

    @asynccontextmanager
    async def hold(
        self, caller: Caller, repeatable: Repeatable | None, timeout_s: float
    ) -> AsyncIterator[None]:
        """Hold one credit for the time of a block, and spend it at the block's end.

        The block makes the reply ready; the reply may be sent once the block has been left without
        an exception, and not otherwise. If the block fails or is cancelled, or its caller goes
        before the credit is known to be spent, the credit is returned.

        Args:
            caller: Who pays.
            repeatable: A request that has been paid for already costs nothing; None: every request
                costs.
            timeout_s: Seconds to wait for an earlier render of the same request.

        Raises:
            OutOfCreditsError: There is no credit to hold.
            AccountsUnavailableError: The database is away, before the block or after it.
            UnauthenticatedError: The key has been revoked.
            IdempotencyKeyReusedError: The idempotency key came with another request before.
            DeadlineError: An earlier render of the same request did not end in time.
        """
        hold = await self._hold(_key_id(caller), repeatable, timeout_s)
        if hold.standing is Standing.PAID:
            yield
            await self._repeat(hold.hold_id)
            return
        self._upkeep.begin(hold.hold_id)
        try:
            yield
            await self._settle(hold.hold_id)
        except BaseException as exc:
            # It waits for no settling that may be under way: what has been released is not settled
            # any more, and what has been settled is released.
            returning = self._upkeep.give_back(hold.hold_id)
            if isinstance(exc, Exception):
                # So that a caller who reads of a failure finds the credit returned.
                await asyncio.shield(returning)
            raise
        self._upkeep.deliver(hold.hold_id)
        self._metrics.credits.labels(ChargeOutcome.SPENT).inc()

    async def account(self, caller: Caller) -> Account:
        """Look the caller's account up, as it is now."""
        account = await self._threads.run(Operation.FIND, self._keys.find, _key_id(caller))
        if account is None:
            raise KeyInvalidError("there is no such API key")
        return account

    async def _hold(self, key_id: str, repeatable: Repeatable | None, timeout_s: float) -> Hold:
        give_up_s = time.monotonic() + timeout_s
        once = None
        if repeatable:
            once = Once(repeatable.key, await repeatable.digest())
        while True:
            hold_id = uuid.uuid4().hex
            # If this is cancelled or not answered, there may be a hold all the same. It expires.
            hold = await self._threads.run(Operation.HOLD, self._store.hold, key_id, hold_id, once)
            if hold.standing is not Standing.BUSY:
                return hold
            if time.monotonic() + _POLL_S > give_up_s:
                raise DeadlineError(
                    f"a render with the same idempotency key has not ended within {timeout_s:.3g} s"
                )
            await asyncio.sleep(_POLL_S)

    async def _settle(self, hold_id: str) -> None:
        if not await self._persistently(self._store.settle, hold_id):
            raise AccountsUnavailableError("the credit held for this render has expired")

    async def _repeat(self, hold_id: str) -> None:
        if not await self._persistently(self._store.repeat, hold_id):
            raise AccountsUnavailableError(
                "the charge of this idempotency key was returned meanwhile; the next attempt is "
                "charged anew"
            )
        self._metrics.credits.labels(ChargeOutcome.REPEATED).inc()

    async def _persistently(self, step: Callable[[str], bool], hold_id: str) -> bool:
        """Take a step, again where the database does not answer."""
        give_up_s = time.monotonic() + _PERSISTENCE_S
        wait_s = _FIRST_WAIT_S
        while True:
            try:
                return await self._threads.run(Operation.SETTLE, step, hold_id)
            except AccountsUnavailableError:
                if time.monotonic() + wait_s > give_up_s:
                    raise
            await asyncio.sleep(wait_s)
            wait_s *= 2


def _key_id(caller: Caller) -> str:
    if caller.key_id is None:
        raise RuntimeError("a call without a key has passed the interceptor")
    return caller.key_id
