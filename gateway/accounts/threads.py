"""Where database work runs: threads of its own, each operation timed and bounded."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, ParamSpec, TypeVar

from gateway.accounts.bounded import TimeLimit, within
from gateway.errors import AccountsUnavailableError
from gateway.observability.labels import Operation
from gateway.observability.metrics import Metrics

# More than one statement may take, so that as a rule the database itself gives up first, and
# nothing goes on behind the back of whoever has been told that it failed.
_OPERATION_TIMEOUT_S: Final = 3.0

# What a thread may need to give up: it looks at its limit ten times a second.
_GRACE_S: Final = 0.5

# For operations under way when the gateway stops.
_CLOSING_S: Final = 1.0

P = ParamSpec("P")
T = TypeVar("T")


class DatabaseThreads:
    """Runs blocking operations off the event loop.

    Args:
        count: How many at once.
        metrics: Where their times go.
    """

    def __init__(self, count: int, metrics: Metrics) -> None:
        self._executor = ThreadPoolExecutor(count, thread_name_prefix="accounts")
        self._metrics = metrics
        self._running: set[TimeLimit] = set()

    async def run(
        self, operation: Operation, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run one operation, waiting for a thread included.

        Raises:
            AccountsUnavailableError: It failed for the database's sake, or took too long. In either
                case it may have come to its effect, or come to it yet.
        """
        start_s = time.monotonic()
        limit = TimeLimit(start_s + _OPERATION_TIMEOUT_S)

        def bounded() -> T:
            self._running.add(limit)
            try:
                with within(limit):
                    return work(*args, **kwargs)
            finally:
                self._running.discard(limit)

        future = asyncio.get_running_loop().run_in_executor(self._executor, bounded)
        try:
            # What still waits for a thread by then is never begun.
            async with asyncio.timeout(_OPERATION_TIMEOUT_S + _GRACE_S):
                return await future
        except TimeoutError:
            raise AccountsUnavailableError(
                f"the accounts did not answer within {_OPERATION_TIMEOUT_S:g} s"
            ) from None
        finally:
            duration = self._metrics.accounts_duration.labels(operation)
            duration.observe(time.monotonic() - start_s)

    def close(self) -> None:
        """Begin none of the operations that wait, and let running ones end, soon; blocks."""
        now_s = time.monotonic()
        for limit in self._running.copy():
            limit.at_s = min(limit.at_s, now_s + _CLOSING_S)
        self._executor.shutdown(cancel_futures=True)
