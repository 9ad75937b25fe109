"""What a gateway owes its database: signs of life, word of deliveries, credits to return."""

import asyncio
import logging
from contextlib import suppress
from typing import Any, Final

from gateway.accounts.credits import CreditStore, Returned
from gateway.accounts.leases import INTERVAL_S, HoldLeases
from gateway.accounts.threads import DatabaseThreads
from gateway.errors import AccountsUnavailableError
from gateway.observability.labels import ChargeOutcome, Operation
from gateway.observability.metrics import Metrics

log = logging.getLogger(__name__)

_OUTCOMES: Final = {
    Returned.HELD: ChargeOutcome.RETURNED,
    Returned.SPENT: ChargeOutcome.REFUNDED,
}


class Upkeep:
    """Keeps what is to be told to the database until it has been told.

    Args:
        store: The credits.
        leases: The holds' leases.
        threads: Where the database work runs.
        metrics: Counts the credits that come back.
    """

    def __init__(
        self,
        store: CreditStore,
        leases: HoldLeases,
        threads: DatabaseThreads,
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._leases = leases
        self._threads = threads
        self._metrics = metrics
        self._live: set[str] = set()
        self._none_live = asyncio.Event()
        self._none_live.set()
        self._delivered: set[str] = set()
        # In the order in which they came, as a dict's keys are.
        self._owed: dict[str, None] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    def begin(self, hold_id: str) -> None:
        """Keep a hold alive from now on."""
        self._live.add(hold_id)
        self._none_live.clear()

    def deliver(self, hold_id: str) -> None:
        """Note that a hold is settled and its reply goes out."""
        self._end(hold_id)
        self._delivered.add(hold_id)

    def give_back(self, hold_id: str) -> asyncio.Task[None]:
        """Return a hold at once; what fails now is tried again until the database answers."""
        self._end(hold_id)
        self._owed[hold_id] = None
        task = asyncio.create_task(self._give_back(hold_id))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def run(self) -> None:
        """Keep the database told, and end dead holds of any gateway, until cancelled."""
        away = False
        while True:
            try:
                await self._turn()
            except AccountsUnavailableError:
                if not away:
                    log.exception("the accounts cannot be kept up to date")
                away = True
            except Exception:
                # Without it no hold would live for long.
                log.exception("the accounts' upkeep failed, and goes on")
            else:
                away = False
            await asyncio.sleep(INTERVAL_S)

    async def drain(self, timeout_s: float) -> None:
        """Tell what is left to be told, once no render is under way, as far as the time allows.

        What is not told in time does no harm: holds expire, and what was delivered stays paid.
        """
        try:
            async with asyncio.timeout(timeout_s):
                await self._renders_ended(timeout_s / 2)
                while self._tasks:
                    await asyncio.wait(self._tasks)
                await self._tell()
        except (TimeoutError, AccountsUnavailableError):
            for task in self._tasks:
                task.cancel()
        if self._owed:
            log.warning(
                "%d credits could not be returned; the next gateway on this database returns them",
                len(self._owed),
            )

    def _end(self, hold_id: str) -> None:
        self._live.discard(hold_id)
        if not self._live:
            self._none_live.set()

    async def _renders_ended(self, timeout_s: float) -> None:
        """Wait until each render has said what becomes of its credit; one may never end."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._none_live.wait()

    async def _turn(self) -> None:
        await self._tell()
        swept = await self._threads.run(Operation.SWEEP, self._leases.sweep)
        if swept.returned:
            log.warning("%d credits of expired holds were returned", swept.returned)
            self._metrics.credits.labels(ChargeOutcome.EXPIRED).inc(swept.returned)
        if swept.refunded:
            log.warning(
                "%d credits were refunded: spent for replies that were never sent", swept.refunded
            )
            self._metrics.credits.labels(ChargeOutcome.REFUNDED).inc(swept.refunded)

    async def _tell(self) -> None:
        live, delivered = list(self._live), list(self._delivered)
        if live or delivered:
            await self._threads.run(Operation.SWEEP, self._leases.renew, live, delivered)
            self._delivered.difference_update(delivered)
        for hold_id in list(self._owed):
            await self._release(hold_id)

    async def _give_back(self, hold_id: str) -> None:
        try:
            await self._release(hold_id)
        except AccountsUnavailableError as exc:
            log.warning("a credit is returned later: %s", exc)

    async def _release(self, hold_id: str) -> None:
        returned = await self._threads.run(Operation.RELEASE, self._store.release, hold_id)
        self._owed.pop(hold_id, None)
        if returned is Returned.SPENT:
            log.warning("the credit of hold %s was refunded: its reply was not sent", hold_id)
        if returned in _OUTCOMES:
            self._metrics.credits.labels(_OUTCOMES[returned]).inc()
