"""What both clients know of their calls: their time, their repetitions and their errors."""

from typing import Any

import grpc

from packshot._channel import route_to
from packshot._errors import PackshotError, from_rpc_error
from packshot._retry import Attempts, RetryBudget, check_timeout


class Calls:
    """The calls of one client.

    Args:
        target: The gateway's address.
        timeout_s: Seconds for a call that says nothing else.
        retries: Whether calls that meet an absent service are repeated.

    Raises:
        ValueError: The time is not positive.
    """

    def __init__(self, target: str, timeout_s: float, *, retries: bool) -> None:
        check_timeout(timeout_s)
        self._route = route_to(target)
        self._timeout_s = timeout_s
        self._budget = RetryBudget() if retries else None

    @property
    def repeat(self) -> bool:
        """Whether calls that meet an absent service are repeated."""
        return self._budget is not None

    def attempts(self, timeout_s: float | None, *, repeat: bool = True) -> Attempts:
        """Return the attempts of a call; with a time of None, that of the client."""
        time_s = self._timeout_s if timeout_s is None else timeout_s
        return Attempts(time_s, self._budget if repeat else None)

    def stream_attempts(self, timeout_s: float | None) -> Attempts:
        """Return the attempts of a stream; with a time of None, as long as it takes."""
        return Attempts(timeout_s, self._budget)

    def typed(self, exc: grpc.RpcError, *, code: grpc.StatusCode | None = None) -> PackshotError:
        """Translate a call's error, blocking or asyncio.

        Args:
            exc: gRPC's error, which is the cause of the result.
            code: The status; None: the error's own.
        """
        # Errors of a blocking call are calls as well; the types do not say so.
        call: Any = exc
        error = from_rpc_error(
            code or call.code(), call.details(), dict(call.trailing_metadata() or ()), self._route
        )
        error.__cause__ = exc
        return error
