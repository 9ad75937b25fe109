"""Bulk work has what interactive renders leave, and its turn where they leave nothing."""

import threading

import pytest

from gateway.admission.priority import Priority
from gateway.rendering.fair_queue import Begun, FairQueue
from gateway.rendering.workers import PriorityWorkers
from tests.support.clock import Clock

INTERACTIVE, BULK = Priority
WAIT_S = 30.0


@pytest.fixture
def queue(clock: Clock) -> FairQueue[str]:
    return FairQueue[str](2, clock)


def push(queue: FairQueue[str], priority: Priority, *jobs: str, render: str = "") -> None:
    for number, job in enumerate(jobs):
        queue.push(priority, "caller", number, job, render=render)


def popped(queue: FairQueue[str]) -> list[str]:
    """Take out all jobs that may run at once."""
    return [each.job for each in iter(queue.pop, None)]


def end(queue: FairQueue[str], begun: Begun[str] | None) -> str:
    assert begun
    queue.ended(begun.caller, begun.priority, begun.began_s)
    return begun.job


def test_bulk_steps_have_the_cores_that_interactive_renders_leave(queue: FairQueue[str]) -> None:
    push(queue, BULK, "1", "2", "3")
    for render in ("a", "b"):
        queue.turns.enter(INTERACTIVE, render)
    assert popped(queue) == []
    assert not queue.has_next()
    queue.turns.leave("a")
    assert queue.has_next()
    assert popped(queue) == ["1"]
    queue.turns.leave("b")
    assert popped(queue) == ["2"]  # the third waits for a thread


def test_an_interactive_step_has_a_thread_though_bulk_steps_fill_all_of_theirs(
    queue: FairQueue[str],
) -> None:
    push(queue, BULK, "1", "2")
    assert popped(queue) == ["1", "2"]
    push(queue, INTERACTIVE, "3", "4", "5")
    assert popped(queue) == ["3", "4"]


def test_one_bulk_job_begins_after_seven_interactive_ones(queue: FairQueue[str]) -> None:
    for render in ("a", "b"):
        queue.turns.enter(INTERACTIVE, render)
    push(queue, BULK, *["bulk"] * 4)
    push(queue, INTERACTIVE, *["interactive"] * 16)
    order = [end(queue, queue.pop()) for _ in range(18)]
    assert order[:7] == ["interactive"] * 7
    assert order[7] == "bulk"
    assert order[:16].count("bulk") == 2
    assert queue.pop() is None


def test_a_bulk_pass_takes_a_core_as_a_step_does(queue: FairQueue[str]) -> None:
    queue.turns.enter(BULK, "old")
    queue.turns.begin_pass("old")
    queue.turns.enter(INTERACTIVE, "a")
    push(queue, BULK, "step")
    assert popped(queue) == []
    queue.turns.end_pass("old")
    assert popped(queue) == ["step"]


def test_an_interactive_render_leaves_its_core_to_bulk_steps_while_its_pass_is_slow(
    queue: FairQueue[str], clock: Clock
) -> None:
    for render in ("a", "b"):
        queue.turns.enter(INTERACTIVE, render)
        queue.turns.begin_pass(render)
    push(queue, BULK, "1", "2")
    clock.now_s = 0.09
    assert popped(queue) == []
    clock.now_s = 0.11
    queue.turns.end_pass("a")
    assert popped(queue) == ["1"]


def test_while_interactive_renders_come_bulk_ones_wait_before_they_begin(
    queue: FairQueue[str], clock: Clock
) -> None:
    """Each caller has one, so no caller's slow renders keep all others' out."""
    for number in range(5):
        queue.turns.enter(BULK, f"render {number}")
        queue.push(BULK, "one", number, f"first of {number}", render=f"render {number}")
    queue.turns.enter(BULK, "other's")
    queue.turns.enter(INTERACTIVE, "a")
    queue.turns.leave("a")
    assert [end(queue, queue.pop()) for _ in range(3)] == [f"first of {n}" for n in range(3)]
    assert queue.pop() is None
    queue.push(BULK, "other", 9, "first of other's", render="other's")
    queue.push(BULK, "one", 1, "second of 1", render="render 1")
    assert {end(queue, queue.pop()) for _ in range(2)} == {"second of 1", "first of other's"}
    queue.turns.leave("other's")
    queue.turns.leave("render 0")
    assert end(queue, queue.pop()) == "first of 3"
    assert queue.pop() is None
    clock.now_s = 11.0
    assert end(queue, queue.pop()) == "first of 4"


def test_between_the_steps_of_an_interactive_render_no_bulk_step_begins(
    workers: PriorityWorkers,
) -> None:
    """A thread is free all the time, and takes the bulk step once the render has ended."""
    order: list[str] = []
    with workers.render(INTERACTIVE, "a"):
        bulk = workers.submit(BULK, lambda: order.append("bulk"))
        for _ in range(3):
            step = workers.submit(INTERACTIVE, lambda: order.append("step"), render="a")
            step.result(WAIT_S)
    bulk.result(WAIT_S)
    assert order == ["step", "step", "step", "bulk"]


def test_an_interactive_step_need_not_wait_for_a_bulk_step_that_runs(
    workers: PriorityWorkers,
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def wait() -> bool:
        begun.set()
        return go_on.wait(WAIT_S)

    bulk = workers.submit(BULK, wait)
    assert begun.wait(WAIT_S)
    assert workers.submit(INTERACTIVE, lambda: 7).result(WAIT_S) == 7
    assert not bulk.done()
    go_on.set()
    assert bulk.result(WAIT_S)
