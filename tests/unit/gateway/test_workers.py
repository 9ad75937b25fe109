"""The worker threads: whose turn it is, and what becomes of work that nobody wants any more."""

import gc
import threading
import weakref
from collections.abc import Iterator

import pytest

from gateway.priority import Priority
from gateway.workers import PriorityWorkers


@pytest.fixture
def workers() -> Iterator[PriorityWorkers]:
    workers = PriorityWorkers(1, "test")
    workers.start()
    yield workers
    workers.shutdown()


def held_up(workers: PriorityWorkers) -> threading.Event:
    """Keep the one thread busy until the event that is returned is set."""
    begun, go_on = threading.Event(), threading.Event()

    def wait() -> None:
        begun.set()
        assert go_on.wait(10)

    workers.submit(Priority.BULK, wait)
    assert begun.wait(10)
    return go_on


def test_interactive_jobs_overtake_bulk_jobs_which_get_a_turn_in_eight(
    workers: PriorityWorkers,
) -> None:
    go_on = held_up(workers)
    order: list[Priority] = []
    jobs = [
        workers.submit(priority, lambda priority=priority: order.append(priority))  # type: ignore[misc]
        for priority in (*[Priority.BULK] * 4, *[Priority.INTERACTIVE] * 16)
    ]
    go_on.set()
    for job in jobs:
        job.result(10)
    assert order[:7] == [Priority.INTERACTIVE] * 7
    assert order[7] is Priority.BULK
    assert order[:16].count(Priority.BULK) == 2


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
