"""Which job is next: fairly between the callers of the priority whose turn it is.

`gateway.rendering.turns` says which priority may begin a job.

Callers share the threads' time: of the callers who wait, the one that has had the least time goes
first. The time of a job is counted while it runs, so it needs no estimate, and a job whose caller
has gone counts for that caller until it ends. A caller who comes, or comes back, starts level with
the one who has had the least, so no caller saves up time. This is start-time fair queuing; Linux
schedules processes in a similar way.
"""

import heapq
import itertools
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Final, Generic, NamedTuple, TypeVar

from gateway.admission.priority import Priority
from gateway.rendering.turns import Turns

J = TypeVar("J")

# A caller counts as there for this long after its last job.
_RECENT_S: Final = 10.0
# Callers with jobs of this length leave one thread to others, who would wait long for them to end.
_LONG_S: Final = 0.5
# The part of the longest job's time that is kept from one job to the next.
_MEMORY: Final = 0.9


class _Waiting(NamedTuple, Generic[J]):
    """A job that waits; the order of a caller's jobs is that of these tuples."""

    begins_render: bool
    arrived_s: float
    number: int
    render: Hashable
    job: J


class Begun(NamedTuple, Generic[J]):
    """A job that begins."""

    caller: str
    priority: Priority
    began_s: float
    job: J


@dataclass(slots=True)
class _CallerState(Generic[J]):
    """What one caller has had of the threads' time, and its jobs that wait."""

    used_s: float
    seen_s: float
    longest_s: float = 0.0
    began_s: list[float] = field(default_factory=list)
    queued: dict[Priority, list[_Waiting[J]]] = field(
        default_factory=lambda: {each: [] for each in Priority}
    )

    @property
    def is_active(self) -> bool:
        return bool(self.began_s) or any(self.queued.values())

    def used_until_s(self, now_s: float) -> float:
        return self.used_s + sum(now_s - began_s for began_s in self.began_s)


class FairQueue(Generic[J]):
    """Jobs that wait for a thread. Not safe to share between threads without a lock.

    Args:
        threads: How many jobs run at once.
        clock: Seconds that only rise.

    Attributes:
        turns: Whose turn it is between the priorities; it is to be told of renders and passes.
    """

    def __init__(self, threads: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.turns = Turns(threads, clock)
        self._threads = threads
        self._clock = clock
        self._callers: dict[str, _CallerState[J]] = {}
        self._floor_s = 0.0
        self._numbers = itertools.count()

    def push(
        self,
        priority: Priority,
        caller: str,
        arrived_s: float,
        job: J,
        expected_s: float = 0.0,
        render: Hashable = None,
    ) -> None:
        """Queue a job.

        Args:
            priority: Its priority.
            caller: Whose it is.
            arrived_s: When what it belongs to arrived; a caller's oldest goes first, but a bulk
                render that has begun before one that has not.
            job: The job.
            expected_s: What it may take, by an estimate.
            render: What it is a step of; None for none.
        """
        now_s = self._clock()
        self._forget(now_s)
        state = self._callers.setdefault(caller, _CallerState(self._floor_s, now_s))
        if not state.is_active:
            state.used_s = max(state.used_s, self._floor_s)
        state.seen_s = now_s
        state.longest_s = max(state.longest_s, expected_s)
        begins = self.turns.waits_to_begin(render)
        heapq.heappush(
            state.queued[priority],
            _Waiting(begins, arrived_s, next(self._numbers), render, job),
        )

    def pop(self) -> Begun[J] | None:
        """Take the next job out; all but the job goes to `ended`.

        Returns:
            Nothing if there is no job, or none that may begin now.
        """
        now_s = self._clock()
        self._raise_floor(now_s)
        first = self._firsts(now_s)
        urgent, bulk = first[Priority.INTERACTIVE], first[Priority.BULK]
        is_bulk = bulk is not None and (urgent is None or self.turns.is_bulk_due)
        priority = Priority.BULK if is_bulk else Priority.INTERACTIVE
        caller = first[priority]
        if caller is None:
            return None
        state = self._callers[caller]
        state.began_s.append(now_s)
        next_up = heapq.heappop(state.queued[priority])
        bulk_waits = self.waiting(Priority.BULK) > 0
        self.turns.begin(priority, caller, next_up.render, bulk_waits=bulk_waits)
        return Begun(caller, priority, now_s, next_up.job)

    def has_next(self) -> bool:
        """Tell whether there is a job that may begin now."""
        return any(each is not None for each in self._firsts(self._clock()).values())

    def ended(self, caller: str, priority: Priority, began_s: float) -> None:
        """Note that a job has ended."""
        self.turns.end(priority)
        state, now_s = self._callers[caller], self._clock()
        state.began_s.remove(began_s)
        state.used_s += now_s - began_s
        state.longest_s = max(now_s - began_s, state.longest_s * _MEMORY)
        state.seen_s = now_s

    def remove(self, caller: str, priority: Priority, is_it: Callable[[J], bool]) -> None:
        """Take jobs out that have not begun; those that have are left alone."""
        state = self._callers.get(caller)
        if state:
            queue = state.queued[priority]
            queue[:] = [entry for entry in queue if not is_it(entry.job)]
            heapq.heapify(queue)

    def waiting(self, priority: Priority | None = None) -> int:
        """Count the jobs that have not begun, of one priority or of all."""
        wanted = Priority if priority is None else (priority,)
        return sum(len(each.queued[key]) for each in self._callers.values() for key in wanted)

    def _firsts(self, now_s: float) -> dict[Priority, str | None]:
        return {each: self._first(each, now_s) for each in Priority}

    def _first(self, priority: Priority, now_s: float) -> str | None:
        """Return the caller whose turn it is within a priority; None if no job may begin."""
        if not self.turns.may_begin(priority):
            return None
        least: tuple[float, float, str] | None = None
        for caller, state in self._callers.items():
            queue = state.queued[priority]
            if (
                queue
                and self._may_begin(caller, now_s)
                and self.turns.may_begin_render(caller, queue[0].render)
            ):
                turn = (state.used_until_s(now_s), queue[0].arrived_s, caller)
                least = turn if least is None else min(least, turn)
        return least[2] if least else None

    def _may_begin(self, caller: str, now_s: float) -> bool:
        """Tell whether a caller with long jobs would leave a thread to the other callers."""
        mine = self._callers[caller]
        longest_s = max([mine.longest_s, *(now_s - began_s for began_s in mine.began_s)])
        if self._threads == 1 or longest_s < _LONG_S or len(mine.began_s) < self._threads - 1:
            return True
        return not any(
            state.is_active or now_s - state.seen_s < _RECENT_S
            for name, state in self._callers.items()
            if name != caller
        )

    def _raise_floor(self, now_s: float) -> None:
        active = [a.used_until_s(now_s) for a in self._callers.values() if a.is_active]
        self._floor_s = max(self._floor_s, min(active, default=self._floor_s))

    def _forget(self, now_s: float) -> None:
        """Drop the callers who would come back as new ones."""
        for caller, state in list(self._callers.items()):
            gone = now_s - state.seen_s > _RECENT_S and state.used_s <= self._floor_s
            if gone and not state.is_active:
                del self._callers[caller]
