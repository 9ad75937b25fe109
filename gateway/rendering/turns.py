"""Whose turn it is between the priorities: bulk work has what interactive renders leave.

Each interactive render under way has a core to itself, from its first step to its last. Bulk work
has the other cores, and all of them while no interactive render is under way. So an interactive
render that has begun finds no bulk step in its way. One that comes while all threads are busy with
bulk steps has a further thread, which bulk work never takes.

Bulk work still has its turn where interactive renders take every core: one bulk job begins after
seven interactive ones.
"""

import time
from collections import Counter
from collections.abc import Callable, Hashable
from typing import Final

from gateway.admission.priority import BULK_TURN, Priority

# For this long after the last interactive render, few bulk renders are under way at once.
_RECENT_S: Final = 10.0
# A pass that takes longer leaves its render's core to bulk work: the pass is slow, or far away.
_SHORT_PASS_S: Final = 0.1
_NEVER: Final = float("inf")


class Turns:
    """What is under way, and what may begin. Not safe to share between threads without a lock.

    Args:
        threads: How many jobs of one priority run at once.
        clock: Seconds that only rise.
    """

    def __init__(self, threads: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._threads = threads
        self._clock = clock
        self._running: Counter[Priority] = Counter()
        # Until when each interactive render has a core.
        self._has_core_until_s: dict[Hashable, float] = {}
        self._interactive_s = -_NEVER
        # The caller of each bulk render that has begun; None before.
        self._bulk: dict[Hashable, str | None] = {}
        self._bulk_passes = 0
        self._overtaken = 0

    def enter(self, priority: Priority, render: Hashable) -> None:
        """Note that a render is under way."""
        if priority is Priority.BULK:
            self._bulk[render] = None
        else:
            self._has_core_until_s[render] = _NEVER
            self._interactive_s = self._clock()

    def leave(self, render: Hashable) -> None:
        """Note that a render has ended."""
        if self._has_core_until_s.pop(render, None) is not None:
            self._interactive_s = self._clock()
        self._bulk.pop(render, None)

    def begin_pass(self, render: Hashable) -> None:
        """Note that the inference server has been asked for a pass."""
        if render in self._bulk:
            self._bulk_passes += 1
        elif render in self._has_core_until_s:
            self._has_core_until_s[render] = self._clock() + _SHORT_PASS_S

    def end_pass(self, render: Hashable) -> None:
        """Note that the pass is over."""
        if render in self._bulk:
            self._bulk_passes -= 1
        elif render in self._has_core_until_s:
            self._has_core_until_s[render] = _NEVER

    def begin(self, priority: Priority, caller: str, render: Hashable, *, bulk_waits: bool) -> None:
        """Note that a job begins.

        Args:
            priority: Its priority.
            caller: Whose it is.
            render: What it is a step of.
            bulk_waits: Whether a bulk job waits meanwhile.
        """
        self._running[priority] += 1
        if priority is Priority.INTERACTIVE:
            self._overtaken += bulk_waits
        else:
            self._overtaken = 0
            if render in self._bulk:
                self._bulk[render] = caller

    def end(self, priority: Priority) -> None:
        """Note that a job has ended."""
        self._running[priority] -= 1

    @property
    def is_bulk_due(self) -> bool:
        """Whether enough interactive jobs have begun since the last bulk one."""
        return self._overtaken >= BULK_TURN - 1

    def may_begin(self, priority: Priority) -> bool:
        """Tell whether any job of a priority may begin now."""
        running = self._running[priority]
        if running >= self._threads:
            return False
        if priority is Priority.INTERACTIVE or not self._has_core_until_s or self.is_bulk_due:
            return True
        now_s = self._clock()
        taken = sum(until_s > now_s for until_s in self._has_core_until_s.values())
        return not taken or running + self._bulk_passes < self._threads - taken

    def waits_to_begin(self, render: Hashable) -> bool:
        """Tell whether a render is a bulk one of which no step has begun."""
        return self._bulk.get(render, "") is None

    def may_begin_render(self, caller: str, render: Hashable) -> bool:
        """Tell whether a step of a render may begin where it would be the render's first.

        While interactive renders come, at most one bulk render more is under way than there are
        threads, or one of each caller. Others wait before they begin instead of between their
        steps, so that an interactive pass does not wait for a large batch of bulk ones.
        """
        if not self.waits_to_begin(render):
            return True
        if not self._has_core_until_s and self._clock() - self._interactive_s > _RECENT_S:
            return True
        begun = [each for each in self._bulk.values() if each is not None]
        return len(begun) <= self._threads or caller not in begun
