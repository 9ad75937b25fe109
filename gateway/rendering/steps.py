"""The steps of renders, on the worker threads: each is timed, and waited for until it ends."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager
from typing import Any, ParamSpec, TypeVar

from gateway.observability.labels import Stage
from gateway.rendering.render_call import RenderCall
from gateway.rendering.timings import StageTime
from gateway.rendering.workers import PriorityWorkers

P = ParamSpec("P")
T = TypeVar("T")


class Steps:
    """Runs the steps of renders.

    Args:
        workers: The threads that they run on.
    """

    def __init__(self, workers: PriorityWorkers) -> None:
        self._workers = workers

    def render(self, call: RenderCall) -> AbstractContextManager[None]:
        """Count a render as under way for the time of a block; all of its stages are in it."""
        return self._workers.render(call.priority, call)

    def passing(self, call: RenderCall) -> AbstractContextManager[None]:
        """Count a render as being in the inference server for the time of a block."""
        return self._workers.passing(call)

    async def step(
        self,
        call: RenderCall,
        stage: Stage,
        work: Callable[P, T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run work that is one stage, and add its time to the call; raises as `run` does."""
        result, start_ns, duration_s = await self.run(call, lambda: timed(work, *args, **kwargs))
        call.timings.append(StageTime(stage, duration_s, start_ns))
        return result

    async def run(
        self, call: RenderCall, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run work on a worker thread, unless the time is up. Renders use threads nowhere else.

        If this is cancelled, it still waits for work that has begun: what the work holds must stay
        counted until the work has ended.

        Raises:
            DeadlineError: The time is up.
            Exception: Whatever the work raises.
        """
        submitted_s = time.monotonic()
        queued_s = 0.0

        def in_time() -> T:
            nonlocal queued_s
            queued_s = time.monotonic() - submitted_s
            call.begun = True
            call.deadline.remaining_s()
            return work(*args, **kwargs)

        future = self._workers.submit(
            call.priority,
            in_time,
            caller=call.caller.name,
            arrived_s=call.arrived_s,
            # The longest step of a costly render takes about half of it.
            expected_s=call.threads_s / 2,
            render=call,
        )
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            # Work that has begun checks regularly whether to go on.
            call.cancelled = True
            await self._ended(future)
            raise
        finally:
            # Here on the event loop, as two steps of one render may have begun at once.
            call.queued_s += queued_s
            # An exception's traceback holds this frame, and the future the exception.
            del future

    async def _ended(self, future: Future[Any]) -> None:
        """Wait until a job has ended; its error has no caller any more.

        A call can be cancelled several times: by its caller, its deadline, the end of the drain.
        """
        ended = asyncio.gather(asyncio.wrap_future(future), return_exceptions=True)
        while not (future.cancelled() or ended.done()):
            try:
                await asyncio.wait({ended})
            except asyncio.CancelledError:
                if self._workers.abandoned:
                    raise


def timed(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> tuple[T, int, float]:
    """Do work; return its result, its beginning as `time.time_ns` tells, and its seconds."""
    start_ns, start_s = time.time_ns(), time.monotonic()
    return work(*args, **kwargs), start_ns, time.monotonic() - start_s
