"""Runs the work of a call: it is seen by telemetry, and an error becomes the call's status."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import grpc
import grpc.aio

from gateway.observability.calls import Call, Calls
from gateway.observability.labels import Method
from gateway.rpc.status import fail
from imaging.errors import ReasonedError

log = logging.getLogger(__name__)

# A caller's clock began before ours: it gives up this long before the deadline here.
_LATE_S: Final = 0.1

Context = grpc.aio.ServicerContext[Any, Any]


class CallRunner:
    """Runs calls.

    Args:
        calls: Sees each of them.
    """

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    @contextmanager
    def run(self, method: Method, context: Context) -> Iterator[Call]:
        """Run a block that does a call's work; if it raises, the call gets the error's status.

        `context.abort` would set the status too. But gRPC keeps the exception that it raises in a
        cycle with its traceback, and so with the photo, until the garbage collector runs.

        Args:
            method: What is called.
            context: The call.

        Raises:
            CancelledError: The call was cancelled. No other exception leaves the block.
        """
        with self.run_photo(method, context) as call:
            yield call
        if call.status is not None:
            fail(context, call.status)

    @contextmanager
    def run_photo(self, method: Method, context: Context) -> Iterator[Call]:
        """Run a block as `run` does, but leave the status to `Call.status` alone.

        A photo of a stream has its status in its reply; the stream goes on.
        """
        with self._calls.answering(method, context.invocation_metadata() or ()) as call:
            try:
                yield call
            except asyncio.CancelledError:
                remaining_s = context.time_remaining()
                late = remaining_s is not None and remaining_s < _LATE_S
                code = grpc.StatusCode
                call.code = code.DEADLINE_EXCEEDED if late else code.CANCELLED
                raise
            except ReasonedError as error:
                call.fail(error)
                if call.code is grpc.StatusCode.INTERNAL:
                    log.exception("%s failed", method)
            except Exception:
                log.exception("%s failed", method)
                # The log has the details, the caller does not.
                call.fail(ReasonedError("internal error"))
