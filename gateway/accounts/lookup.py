"""Keys looked up in batches, so that a flood of made-up ones costs the database next to nothing."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from typing import Final

from gateway.accounts.store import Account
from gateway.accounts.threads import DatabaseThreads
from gateway.errors import AccountsUnavailableError
from gateway.observability.labels import Operation

# Most ids of one query, and of all that wait for one.
_BATCH: Final = 256
_MOST_WAITING: Final = 4096


class KeyLookup:
    """Looks keys up: one query at a time, for all that were asked for while the last one ran.

    Args:
        find: Returns the accounts of those ids that there are.
        threads: Where the database work runs.
    """

    def __init__(
        self, find: Callable[[Collection[str]], Mapping[str, Account]], threads: DatabaseThreads
    ) -> None:
        self._find = find
        self._threads = threads
        # In the order in which they came, as a dict's keys are.
        self._waiting: dict[str, asyncio.Future[Account | None]] = {}
        self._asking: asyncio.Task[None] | None = None

    async def account(self, key_id: str) -> Account | None:
        """Return a key's account, None if there is none; either takes the same time.

        Raises:
            AccountsUnavailableError: The database is away, or too many keys wait to be looked up.
        """
        answer = self._waiting.get(key_id)
        if answer is None:
            if len(self._waiting) >= _MOST_WAITING:
                raise AccountsUnavailableError(
                    f"{len(self._waiting)} keys wait to be looked up; the limit is {_MOST_WAITING}"
                )
            answer = self._waiting[key_id] = asyncio.get_running_loop().create_future()
            # Nobody may be left to read of a failure.
            answer.add_done_callback(lambda done: done.cancelled() or done.exception())
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask())
        # One of several that wait for the same key may be cancelled.
        return await asyncio.shield(answer)

    async def _ask(self) -> None:
        try:
            while self._waiting:
                await self._ask_batch()
        finally:
            self._asking = None

    async def _ask_batch(self) -> None:
        batch = {key_id: self._waiting.pop(key_id) for key_id in list(self._waiting)[:_BATCH]}
        try:
            found = await self._threads.run(Operation.FIND, self._find, list(batch))
        except BaseException as exc:
            error = exc if isinstance(exc, Exception) else AccountsUnavailableError("it stops")
            for answer in batch.values():
                answer.set_exception(error)
            if not isinstance(exc, Exception):
                raise
        else:
            for key_id, answer in batch.items():
                answer.set_result(found.get(key_id))
