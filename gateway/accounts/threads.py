"""Where database work runs: threads of its own, each operation timed and bounded."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, ParamSpec, TypeVar

from gateway.errors import AccountsUnavailableError
from gateway.telemetry import catalogue
from gateway.telemetry.catalogue import Operation
from gateway.telemetry.metrics import Metrics

# More than one statement may take, so that as a rule the database itself gives up first, and
# nothing goes on behind the back of whoever has been told that it failed.
_OPERATION_TIMEOUT_S: Final = 3.0

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

    async def run(
        self, operation: Operation, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run one operation, waiting for a thread included.

        Raises:
            AccountsUnavailableError: It failed for the database's sake, or took too long. In the
                second case it may still come to its effect.
        """
        start_s = time.monotonic()
        future = asyncio.get_running_loop().run_in_executor(
            self._executor, lambda: work(*args, **kwargs)
        )
        try:
            async with asyncio.timeout(_OPERATION_TIMEOUT_S):
                return await future
        except TimeoutError:
            raise AccountsUnavailableError(
                f"the accounts did not answer within {_OPERATION_TIMEOUT_S:g} s"
            ) from None
        finally:
            self._metrics.observe(
                catalogue.ACCOUNTS_DURATION, time.monotonic() - start_s, operation
            )

    def close(self) -> None:
        """Let running operations end, and begin none of those that wait."""
        self._executor.shutdown(cancel_futures=True)
