"""One credit for one render that succeeds: the block that a render runs in."""

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Any, Final, Protocol

from gateway.accounts.credits import CreditStore
from gateway.accounts.store import Account, KeyStore
from gateway.accounts.threads import DatabaseThreads
from gateway.caller import Caller
from gateway.errors import AccountsUnavailableError, KeyInvalidError, NoAccountsError
from gateway.telemetry import catalogue
from gateway.telemetry.catalogue import ChargeOutcome, Operation
from gateway.telemetry.metrics import Metrics

log = logging.getLogger(__name__)

# A killed gateway's holds come back after this time. Each live hold is renewed several times in it.
LEASE_S: Final = 10.0
_SWEEP_INTERVAL_S: Final = LEASE_S / 5

# Waits between attempts to settle or to release: a failover of the database may be survived, a
# caller is not kept long.
_RETRY_WAITS_S: Final = (0.05, 0.1, 0.2, 0.4, 0.8)


class Charges(Protocol):
    """What the service asks of the accounts."""

    def charge(self, caller: Caller) -> AbstractAsyncContextManager[None]:
        """Charge the caller one credit if the block succeeds, and nothing if it does not."""
        ...

    async def account(self, caller: Caller) -> Account:
        """Tell the state of the caller's account."""
        ...


class NoCharges:
    """The service without accounts: nothing is charged."""

    def charge(self, caller: Caller) -> AbstractAsyncContextManager[None]:  # noqa: ARG002
        """Charge nothing."""
        return nullcontext()

    async def account(self, caller: Caller) -> Account:  # noqa: ARG002
        """Refuse: there are no accounts."""
        raise NoAccountsError("this service keeps no accounts")


class CreditCharges:
    """Charges credits.

    Args:
        keys: The keys.
        store: Their credits.
        threads: Where the database work runs.
        metrics: Counts the charges.
    """

    def __init__(
        self, keys: KeyStore, store: CreditStore, threads: DatabaseThreads, metrics: Metrics
    ) -> None:
        self._keys = keys
        self._store = store
        self._threads = threads
        self._metrics = metrics
        self._live: set[str] = set()
        self._tasks: set[asyncio.Task[Any]] = set()

    @asynccontextmanager
    async def charge(self, caller: Caller) -> AsyncIterator[None]:
        """Hold one credit for the time of a block, and spend it at the block's end.

        The block makes the reply ready; the reply may be sent once the block has been left without
        an exception, and not otherwise. If the block fails or is cancelled, or its caller goes
        before the credit is known to be spent, the credit is returned.

        Raises:
            OutOfCreditsError: There is no credit to hold.
            AccountsUnavailableError: The database is away, before the block or after it.
            UnauthenticatedError: The key has been revoked.
        """
        if caller.key_id is None:
            raise RuntimeError("a call without a key has passed the door")
        hold_id = uuid.uuid4().hex
        # If this is cancelled or not answered, there may be a hold all the same. It expires.
        await self._threads.run(Operation.HOLD, self._store.hold, caller.key_id, hold_id)
        self._live.add(hold_id)
        settling: asyncio.Task[None] | None = None
        try:
            yield
            settling = self._start(self._settle(hold_id))
            # What is under way in a thread cannot be cancelled: it is waited for and undone.
            await asyncio.shield(settling)
        except BaseException as exc:
            self._live.discard(hold_id)
            returning = self._start(self._return(hold_id, settling))
            if isinstance(exc, Exception):
                # So that a caller who reads of a failure finds the credit returned.
                await asyncio.shield(returning)
            raise
        self._live.discard(hold_id)
        self._metrics.count(catalogue.CREDITS, ChargeOutcome.SPENT)

    async def account(self, caller: Caller) -> Account:
        """Look the caller's account up, as it is now."""
        if caller.key_id is None:
            raise RuntimeError("a call without a key has passed the door")
        account = await self._threads.run(Operation.FIND, self._keys.find, caller.key_id)
        if account is None:
            raise KeyInvalidError("there is no such API key")
        return account

    async def run(self) -> None:
        """Renew the live holds and return the credits of expired ones, until cancelled."""
        away = False
        while True:
            try:
                if self._live:
                    await self._threads.run(Operation.SWEEP, self._store.renew, list(self._live))
                returned = await self._threads.run(Operation.SWEEP, self._store.sweep)
            except AccountsUnavailableError:
                if not away:
                    log.exception("holds cannot be renewed")
                away = True
            else:
                if returned:
                    log.warning("%d credits of expired holds were returned", returned)
                    self._metrics.count(catalogue.CREDITS, ChargeOutcome.EXPIRED, amount=returned)
                away = False
            await asyncio.sleep(_SWEEP_INTERVAL_S)

    async def drain(self) -> None:
        """Wait for the credits that are still on their way back."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _settle(self, hold_id: str) -> None:
        if not await self._repeated(Operation.SETTLE, hold_id):
            raise AccountsUnavailableError("the credit held for this render has expired")

    async def _return(self, hold_id: str, settling: asyncio.Task[None] | None) -> None:
        if settling:
            await asyncio.wait([settling])
            if not settling.cancelled() and settling.exception():
                log.error("a render could not be charged: %s", settling.exception())
        try:
            await self._repeated(Operation.RELEASE, hold_id)
        except AccountsUnavailableError as exc:
            log.error("a credit is not returned before its hold expires: %s", exc)  # noqa: TRY400
        else:
            self._metrics.count(catalogue.CREDITS, ChargeOutcome.RETURNED)

    async def _repeated(self, operation: Operation, hold_id: str) -> bool:
        """Settle or release a hold, again where the database does not answer."""
        for wait_s in (*_RETRY_WAITS_S, None):
            try:
                if operation is Operation.SETTLE:
                    return await self._threads.run(operation, self._store.settle, hold_id)
                await self._threads.run(operation, self._store.release, hold_id)
            except AccountsUnavailableError:
                if wait_s is None:
                    raise
                await asyncio.sleep(wait_s)
            else:
                return True
        raise AssertionError("the last attempt returns or raises")

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
