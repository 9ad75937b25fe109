"""One sweep from start to winner, within its time."""

import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from benchmarks.configuration import Configuration
from benchmarks.rounds import NOISY_SHARE
from benchmarks.sweep.bench import Bench
from benchmarks.sweep.points import DRIVERS, Driver, Point, Score, score
from benchmarks.sweep.search import descend

if TYPE_CHECKING:
    from tqdm import tqdm

# At the end start and winner are measured again, A B B A, by one of the two drivers: in time as
# much as two configurations. The third is the one that would be begun.
_RESERVED_TURNS = 3


@dataclass
class Budget:
    """The time for a sweep."""

    seconds: float  # for all
    bar: "tqdm[Any]"  # shows what has passed
    most_turns: int | None = None  # most configurations, whatever the time; None: any number
    turns: int = 0  # configurations so far
    longest_s: float = 0.0  # the longest that one took
    start_s: float = field(default_factory=time.monotonic)  # when it began

    def count(self, took_s: float) -> None:
        """Count a configuration."""
        self.turns += 1
        self.longest_s = max(self.longest_s, took_s)
        passed_s = time.monotonic() - self.start_s
        self.bar.update(min(round(self.seconds), round(passed_s)) - self.bar.n)

    def is_over(self) -> bool:
        """Return whether what is left of the time is needed to confirm the winner."""
        if self.most_turns is not None:
            return self.turns >= self.most_turns
        left_s = self.seconds - (time.monotonic() - self.start_s)
        return left_s < _RESERVED_TURNS * self.longest_s


@dataclass
class Sweep:
    """A sweep."""

    bench: Bench  # measures
    driver: Driver  # whose figures decide
    p95_ms: float  # the objective
    budget: Budget  # the time
    points: list[Point] = field(default_factory=list)  # everything measured
    notes: list[str] = field(default_factory=list)  # what a reader must know of it

    def search(
        self, start: Configuration, axes: Mapping[str, Sequence[Any]], margin_share: float
    ) -> Configuration:
        """Return the best configuration.

        Args:
            start: What there is.
            axes: Each setting's values, in the order in which they are varied.
            margin_share: By how much a configuration must beat the best.
        """
        winner = descend(start, axes, self._judge, self.budget.is_over, margin_share)
        by_turns = ", ".join(axes)
        self.notes += [
            f"coordinate descent, not the full grid, by turns along {by_turns}",
            f"configurations measured: {self.budget.turns}",
            f"decided by {self.driver}'s images/s at a p95 of at most {self.p95_ms:g} ms",
        ]
        if self.budget.most_turns is not None:
            self.notes.append("a smoke run: no figure here means anything")
        elif self.budget.is_over():
            self.notes.append("the time was over before every setting had been tried")
        if self.budget.most_turns is None and winner != start:
            winner = self._confirm(start, winner)
        self.notes += self.bench.failures
        self._describe(winner)
        return winner

    def _judge(
        self, configuration: Configuration, drivers: Sequence[Driver] = DRIVERS
    ) -> Score | None:
        begun_s = time.monotonic()
        found = self.bench.measure(configuration, drivers)
        self.points += found
        self.budget.count(time.monotonic() - begun_s)
        return score(found, self.driver, self.p95_ms)

    def _confirm(self, start: Configuration, winner: Configuration) -> Configuration:
        """Measure both again, A B B A; the best of many is often only the luckiest."""
        order = (start, winner, winner, start)
        first, second, third, last = (self._judge(each, (self.driver,)) for each in order)
        if not (first and second and third and last):
            self.notes.append(f"{winner} could not be measured again: what there was stays")
            return start
        if (second.within, third.within) < (first.within, last.within):
            self.notes.append(f"{winner} misses the objective when measured again")
            return start
        if not first.within and second.within:
            self.notes.append(f"{winner} keeps the objective, which {start} misses")
            return winner
        ratios = (second.value / first.value, third.value / last.value)
        ratio = statistics.median(ratios)
        self.notes.append(f"{winner}: {ratio:.2f} times {start}, measured again A B B A")
        if (spread := (max(ratios) - min(ratios)) / ratio) > NOISY_SHARE:
            self.notes.append(f"that ratio's two measurements spread by {spread:.0%}")
        if ratio <= 1:
            self.notes.append("measured again it is no better: what there was stays")
            return start
        return winner

    def _describe(self, winner: Configuration) -> None:
        self.notes.append(f"the best found: {winner}")
        own = [
            point
            for point in self.points
            if point.configuration == winner and point.driver == self.driver
        ]
        if not any(point.p95_ms <= self.p95_ms for point in own):
            self.notes.append(f"no point of it keeps the objective of {self.p95_ms:g} ms")
