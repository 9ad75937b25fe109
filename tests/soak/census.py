"""What the soak's processes hold: memory, file descriptors, threads, shared memory."""

import statistics
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

_INTERVAL_S = 0.5
# Medians of fewer samples than this, at either end, say nothing.
_LEAST_SAMPLES = 6
_SHM_OPTION = "shm-region-prefix-name="
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  looked at, never written


@dataclass
class Life:
    """One process, from its first sample to its last."""

    name: str  # what it is
    pid: int  # its process id
    # Moments (s) and its proportional set size then (bytes)
    samples: list[tuple[float, int]] = field(default_factory=list)

    def growth(self, settle_s: float) -> float | None:
        """Return the share by which it grew once settled, None if it lived too briefly.

        It is the median of the last third of the samples over that of the first third.
        """
        settled_s = self.samples[0][0] + settle_s
        sizes = [size for moment_s, size in self.samples if moment_s >= settled_s]
        third = len(sizes) // 3
        if third < _LEAST_SAMPLES:
            return None
        return statistics.median(sizes[-third:]) / statistics.median(sizes[:third]) - 1


class Census(threading.Thread):
    """Samples the processes below this one until it is stopped.

    Attributes:
        lives: Every process seen, by its id.
        shm_prefixes: How the names of the Tritons' shared memory regions begin.
    """

    def __init__(self) -> None:
        super().__init__(name="census", daemon=True)
        self.lives: dict[int, Life] = {}
        self.shm_prefixes: frozenset[str] = frozenset()
        self._over = threading.Event()

    def run(self) -> None:
        """Sample."""
        while not self._over.wait(_INTERVAL_S):
            for process in psutil.Process().children(recursive=True):
                # Processes come and go while they are being looked at.
                with suppress(psutil.Error):
                    size = process.memory_full_info().pss
                    life = self.lives.get(process.pid)
                    if life is None:
                        command = process.cmdline()
                        name = _name_of(command) or process.name()
                        life = self.lives[process.pid] = Life(name, process.pid)
                        self.shm_prefixes |= _shm_prefixes(command)
                    life.samples.append((time.monotonic(), size))

    def stop(self) -> None:
        """Stop sampling."""
        self._over.set()
        self.join()


@dataclass(frozen=True, slots=True)
class Holdings:
    """What one process holds besides memory."""

    descriptors: int  # file descriptors
    threads: int  # threads

    @classmethod
    def of(cls, pid: int) -> "Holdings":
        """Count what a process holds."""
        process = psutil.Process(pid)
        return cls(process.num_fds(), process.num_threads())


def settled(pid: int, at_most: Holdings, timeout_s: float) -> Holdings:
    """Wait until a process holds no more than it may, and return what it holds then or at last."""
    give_up_s = time.monotonic() + timeout_s
    while True:
        now = Holdings.of(pid)
        fits = now.descriptors <= at_most.descriptors and now.threads <= at_most.threads
        if fits or time.monotonic() > give_up_s:
            return now
        time.sleep(_INTERVAL_S)


def shared_memory(prefixes: frozenset[str]) -> list[str]:
    """Name the shared memory regions whose names begin so."""
    return sorted(path.name for prefix in prefixes for path in _SHARED_MEMORY.glob(f"{prefix}*"))


def wait_for(check: Callable[[], bool], timeout_s: float) -> bool:
    """Wait until a check holds; returns whether it did."""
    give_up_s = time.monotonic() + timeout_s
    while not check():
        if time.monotonic() > give_up_s:
            return False
        time.sleep(0.1)
    return True


def _name_of(command: list[str]) -> str:
    if "-m" in command:
        return command[command.index("-m") + 1]
    return "stub" if command and "python_backend_stub" in command[0] else ""


def _shm_prefixes(command: list[str]) -> set[str]:
    return {argument.partition(_SHM_OPTION)[2] for argument in command if _SHM_OPTION in argument}
