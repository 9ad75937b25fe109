"""The worker threads: fairness between callers, and what becomes of work that nobody wants."""

import gc
import threading
import weakref

import pytest

from gateway.admission.priority import Priority
from gateway.rendering.fair_queue import FairQueue
from gateway.rendering.workers import PriorityWorkers
from tests.support.clock import Clock


def held_up(workers: PriorityWorkers) -> threading.Event:
    """Keep the one thread busy until the event that is returned is set."""
    begun, go_on = threading.Event(), threading.Event()

    def wait() -> None:
        begun.set()
        assert go_on.wait(10)

    workers.submit(Priority.BULK, wait)
    assert begun.wait(10)
    return go_on


def run(queue: FairQueue[str], clock: Clock, takes_s: dict[str, float], jobs: int) -> list[str]:
    """Run so many jobs one after another; each takes what its caller's take."""
    done = []
    for _ in range(jobs):
        begun = queue.pop()
        assert begun
        clock.now_s += takes_s[begun.caller]
        queue.ended(begun.caller, begun.priority, begun.began_s)
        done.append(begun.caller)
    return done


def test_callers_share_the_threads_time_and_not_their_number() -> None:
    clock = Clock()
    queue = FairQueue[str](1, clock)
    for number in range(40):
        for caller in ("costly", "modest"):
            queue.push(Priority.INTERACTIVE, caller, number, "")
    done = run(queue, clock, {"costly": 1.0, "modest": 0.1}, 22)
    assert done.count("modest") == 20
    assert queue.waiting() == queue.waiting(Priority.INTERACTIVE) == 58


def test_who_comes_later_goes_first_at_once_and_saves_nothing_up() -> None:
    clock = Clock()
    queue = FairQueue[str](1, clock)
    for number in range(40):
        queue.push(Priority.INTERACTIVE, "early", number, "")
    run(queue, clock, {"early": 1.0}, 10)
    for number in range(40):
        queue.push(Priority.INTERACTIVE, "late", number, "")
    done = run(queue, clock, {"early": 1.0, "late": 1.0}, 20)
    assert done[0] == "late"
    assert 9 <= done.count("late") <= 11


def test_a_caller_s_oldest_photo_is_finished_first() -> None:
    queue = FairQueue[str](3)
    for arrived_s, job in ((2.0, "younger"), (1.0, "older"), (2.0, "younger too")):
        queue.push(Priority.INTERACTIVE, "a", arrived_s, job)
    order = [begun.job for _ in range(3) if (begun := queue.pop())]
    assert order == ["older", "younger", "younger too"]


def test_long_jobs_leave_a_thread_to_others_for_as_long_as_there_are_any() -> None:
    clock = Clock()
    queue = FairQueue[str](2, clock)
    for number in range(4):
        queue.push(Priority(1 + number % 2), "costly", number, "scene", 3.0)
    queue.push(Priority.INTERACTIVE, "modest", 0, "")
    first, second = queue.pop(), queue.pop()
    assert first
    assert second
    assert {first.caller, second.caller} == {"costly", "modest"}
    clock.now_s += 1
    queue.ended("modest", Priority.INTERACTIVE, 0.0)
    assert queue.pop() is None  # a second scene, of whichever priority, would hold both threads
    queue.push(Priority.INTERACTIVE, "modest", 1, "")
    assert (queue.pop() or "")[0] == "modest"
    queue.ended("modest", Priority.INTERACTIVE, clock.now_s)
    clock.now_s += 11
    assert (queue.pop() or "")[0] == "costly"


def test_a_job_that_was_given_up_is_its_caller_s_until_it_ends() -> None:
    """It cannot be stopped, so its time counts; the other caller's jobs go first meanwhile."""
    queue = FairQueue[str](2, clock := Clock())
    queue.push(Priority.INTERACTIVE, "cancels", 0, "")
    assert queue.pop()
    clock.now_s += 5
    for caller in ("cancels", "polite"):
        queue.push(Priority.INTERACTIVE, caller, 1, "")
    assert (queue.pop() or "")[0] == "polite"


def test_results_and_errors_come_back(workers: PriorityWorkers) -> None:
    assert workers.submit(Priority.BULK, lambda: 7).result(10) == 7
    with pytest.raises(ZeroDivisionError):
        workers.submit(Priority.BULK, lambda: 1 / 0).result(10)
    assert workers.submit(Priority.BULK, lambda: 8).result(10) == 8


def test_a_job_cancelled_in_the_queue_leaves_it_at_once_with_all_it_holds(
    workers: PriorityWorkers,
) -> None:
    class Photo:
        def decode(self) -> None:
            raise AssertionError

    go_on = held_up(workers)
    photo = Photo()
    gone = weakref.ref(photo)
    job = workers.submit(Priority.BULK, photo.decode)
    del photo
    assert workers.waiting(Priority.BULK) == 1
    assert job.cancel()
    assert workers.waiting(Priority.BULK) == 0
    gc.collect()
    assert gone() is None
    go_on.set()


def test_shutting_down_finishes_what_is_queued() -> None:
    workers = PriorityWorkers(2, "test")
    workers.start()
    jobs = [workers.submit(Priority.INTERACTIVE, lambda: 1) for _ in range(10)]
    workers.shutdown()
    assert sum(job.result(0) for job in jobs) == 10
    with pytest.raises(RuntimeError, match="shut down"):
        workers.submit(Priority.INTERACTIVE, lambda: 1)
