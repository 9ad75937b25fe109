"""A step that has begun is waited for, however often its call is cancelled."""

import asyncio
import threading

import pytest

from gateway.admission.caller import Caller
from gateway.errors import DeadlineError
from gateway.rendering.deadline import Deadline
from gateway.rendering.render_call import RenderCall
from gateway.rendering.steps import Steps
from gateway.rendering.workers import PriorityWorkers

TIME_S = 30.0


@pytest.fixture
def steps(workers: PriorityWorkers) -> Steps:
    return Steps(workers)


@pytest.fixture
def call() -> RenderCall:
    return RenderCall(Caller(None, "here"), Deadline.after(TIME_S))


class Held:
    """A step that goes on until it is let go."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.let_go = threading.Event()
        self.ended = False

    def __call__(self) -> None:
        self.begun.set()
        assert self.let_go.wait(TIME_S)
        self.ended = True


async def cancelled_twice(steps: Steps, call: RenderCall, held: Held) -> "asyncio.Task[None]":
    """Cancel a call as its caller does, and then as its deadline does."""
    task = asyncio.create_task(steps.run(call, held))
    await asyncio.to_thread(held.begun.wait, TIME_S)
    for _ in range(2):
        task.cancel()
        await asyncio.wait({task}, timeout=0.1)
    return task


async def test_a_step_is_waited_for_though_its_call_is_cancelled_twice(
    steps: Steps, call: RenderCall
) -> None:
    held = Held()
    task = await cancelled_twice(steps, call, held)
    assert not task.done()
    with pytest.raises(DeadlineError, match="cancelled"):
        call.check()
    held.let_go.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert held.ended


async def test_a_step_that_the_workers_left_behind_is_waited_for_no_longer(
    workers: PriorityWorkers, steps: Steps, call: RenderCall
) -> None:
    held = Held()
    task = await cancelled_twice(steps, call, held)
    await asyncio.to_thread(workers.shutdown, 0.01)
    assert workers.abandoned
    assert not task.done()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not held.ended
    held.let_go.set()
