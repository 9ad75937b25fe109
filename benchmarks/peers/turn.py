"""One contender's turn: a closed loop of callers for some seconds, and what the servers took."""

import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from statistics import mean

import psutil

from benchmarks.errors import PeerError
from benchmarks.load.usage import Usage
from benchmarks.peers.callers import Connect

# Reading every process's memory map takes milliseconds; more often would be felt.
_LOOK_S = 0.5
# A server that has not given the least of answers in this time hangs.
_LONGEST_S = 120.0


@dataclass(frozen=True, slots=True)
class Turn:
    """What came of a turn's measured part, after its warm-up."""

    duration_s: float  # how long it was
    latencies_s: tuple[float, ...]  # of the answers that came in it
    cpu_s: float  # processor time of the servers
    memory_bytes: int  # the servers' proportional set size at its highest
    # Mean time of each stage, of a server that tells it
    stages_s: Mapping[str, float] = field(default_factory=dict)

    @property
    def images_per_s(self) -> float:
        """Answers a second."""
        return len(self.latencies_s) / self.duration_s

    @property
    def cpu_s_per_image(self) -> float:
        """Processor time for each answer."""
        return self.cpu_s / len(self.latencies_s)


@dataclass
class _Loop:
    """Callers that ask until they are told to stop, each from a thread of its own."""

    connect: Connect
    # Moment and latency, s, and the answer's stages.
    answers: list[tuple[float, float, Mapping[str, float]]] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def keep_asking(self, number: int, step: int) -> None:
        """Ask for one photo after the other, from a number on."""
        try:
            with closing(self.connect()) as caller:
                while not self.over.is_set():
                    start_s = time.perf_counter()
                    answer = caller.ask(number)
                    end_s = time.perf_counter()
                    self.answers.append((end_s, end_s - start_s, answer.stages_s))
                    number += step
        except (PeerError, OSError) as exc:
            self.failures.append(exc)
            self.over.set()


def take_turn(
    connect: Connect,
    servers: Sequence[int],
    concurrency: int,
    duration_s: float,
    warm_up_s: float,
    least_answers: int = 1,
) -> Turn:
    """Let callers ask, and measure once they are warm.

    Args:
        connect: Makes a caller.
        servers: Process ids of what serves them, whose children count as well.
        concurrency: Callers.
        duration_s: How long to measure at least.
        warm_up_s: How long to ask before that.
        least_answers: For each caller; the turn goes on until it has so many.

    Raises:
        PeerError: A request failed, a server ended, or answers did not come.
    """
    loop = _Loop(connect)
    threads = [
        threading.Thread(target=loop.keep_asking, args=(number, concurrency), daemon=True)
        for number in range(concurrency)
    ]
    for thread in threads:
        thread.start()
    try:
        loop.over.wait(warm_up_s)
        start_s, before = time.perf_counter(), Usage.of(servers)
        highest_bytes, least = before.memory_bytes, len(loop.answers) + least_answers * concurrency
        while not loop.over.wait(_LOOK_S):
            after, answered = Usage.of(servers), len(loop.answers)
            end_s = time.perf_counter()  # all of these answers came before it
            highest_bytes = max(highest_bytes, after.memory_bytes)
            if end_s - start_s >= duration_s and answered >= least:
                break
            if end_s - start_s > max(duration_s, _LONGEST_S):
                raise PeerError(f"too few answers came within {_LONGEST_S:g} s")
    except psutil.NoSuchProcess as exc:
        raise PeerError(f"a server ended during its turn: {exc}") from exc
    finally:
        loop.over.set()
        for thread in threads:
            thread.join()
    if loop.failures:
        raise PeerError(f"a request failed: {loop.failures[0]}") from loop.failures[0]
    counted = [each for each in loop.answers if start_s < each[0] <= end_s]
    return Turn(
        duration_s=end_s - start_s,
        latencies_s=tuple(latency_s for _, latency_s, _ in counted),
        cpu_s=after.cpu_s - before.cpu_s,
        memory_bytes=highest_bytes,
        stages_s=_means([stages_s for _, _, stages_s in counted]),
    )


def _means(stages_s: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: mean(each[name] for each in stages_s) for name in stages_s[0]}
