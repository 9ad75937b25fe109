"""How a call gets its answer: the work's result, or the status of what went wrong with it."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

import grpc
import grpc.aio
from google.rpc import status_pb2

from gateway.observability.calls import Calls
from gateway.observability.labels import Method
from gateway.rpc.status import fail
from imaging.errors import ReasonedError

T = TypeVar("T")

log = logging.getLogger(__name__)

# A caller's clock began before ours: it gives a call up so much ahead of the deadline here.
_LATE_S: Final = 0.1


class CallRunner:
    """Runs calls to their result or status.

    Args:
        calls: Sees each of them.
    """

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def answer(
        self,
        method: Method,
        context: grpc.aio.ServicerContext[Any, Any],
        work: Coroutine[Any, Any, T],
        nothing: Callable[[], T],
    ) -> T:
        """Do a call's work and give the call its status.

        `context.abort` would do the last, but gRPC keeps the exception that it raises in a cycle
        with its traceback, and so with the photo, until the garbage collector comes by.
        """
        outcome = await self.outcome(method, context, work)
        if isinstance(outcome, status_pb2.Status):
            fail(context, outcome)
            return nothing()
        return outcome

    async def outcome(
        self,
        method: Method,
        context: grpc.aio.ServicerContext[Any, Any],
        work: Coroutine[Any, Any, T],
    ) -> T | status_pb2.Status:
        """Do some work while it is seen, and turn what goes wrong into its status."""
        with self._calls.answering(method, context.invocation_metadata() or ()) as call:
            try:
                return await work
            except asyncio.CancelledError:
                remaining_s = context.time_remaining()
                late = remaining_s is not None and remaining_s < _LATE_S
                code = grpc.StatusCode
                call.code = code.DEADLINE_EXCEEDED if late else code.CANCELLED
                raise
            except ReasonedError as error:
                status = call.fail(error)
                if call.code is grpc.StatusCode.INTERNAL:
                    log.exception("%s failed", method)
                return status
            except Exception:
                log.exception("%s failed", method)
                # The log has the details, the caller does not.
                return call.fail(ReasonedError("internal error"))
