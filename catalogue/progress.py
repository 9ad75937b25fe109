"""What a run tells while it goes on: a bar on a terminal, lines elsewhere, and metrics."""

import math
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, get_args

from tqdm import tqdm

from catalogue.rows import FAILED, OK, Outcome
from catalogue.telemetry import Metrics

_LINE_EVERY_S = 30.0


class Progress:
    """The state of one run.

    Args:
        planned: Photos that it is to render.
        metrics: Where it is shown.
        say: Takes a line now and then where there is no terminal for a bar.

    Attributes:
        counts: Photos by outcome.
        repeats: How often photos were sent again, by reason.
        most_resident_bytes: The most memory that any worker had.
        resident_bytes: The latest memory of a worker.
    """

    def __init__(self, planned: int, metrics: Metrics, say: Callable[[str], None]) -> None:
        self.counts = {OK: 0, FAILED: 0}
        self.repeats: Counter[str] = Counter()
        self.most_resident_bytes = 0
        self._planned = planned
        self._metrics = metrics
        self._say = say
        self._start_s = time.monotonic()
        self._line_s = self._start_s
        self._bar = tqdm(
            total=planned, unit="photo", desc="rendering", disable=not sys.stderr.isatty()
        )
        metrics.planned.set(planned)
        self._show()

    @property
    def done(self) -> int:
        """Photos with an outcome."""
        return sum(self.counts.values())

    @property
    def seconds(self) -> float:
        """How long the run has taken."""
        return time.monotonic() - self._start_s

    def take(self, tally: dict[str, Any]) -> None:
        """Take a batch's tally."""
        for outcome in get_args(Outcome):
            self.counts[outcome] += tally[outcome]
            self._metrics.photos.labels(outcome).inc(tally[outcome])
        self.repeats.update(tally["repeats"])
        self.most_resident_bytes = max(self.most_resident_bytes, tally["resident_bytes"])
        self._metrics.repeats.inc(len(tally["repeats"]))
        self._metrics.picture_bytes.inc(tally["output_bytes"])
        self._show()
        self._bar.update(tally[OK] + tally[FAILED])
        self._bar.set_postfix(failed=self.counts[FAILED], refresh=False)
        if self._bar.disable and time.monotonic() - self._line_s > _LINE_EVERY_S:
            self._line_s = time.monotonic()
            self._say(self.line())

    def line(self) -> str:
        """Say where the run stands."""
        rate = self.done / self.seconds if self.seconds else 0.0
        left_s = self._seconds_left()
        left = f"{left_s:.0f} s left" if math.isfinite(left_s) else "time left unknown"
        return (
            f"{self.done} of {self._planned} photos, {self.counts[FAILED]} failed, "
            f"{rate:.1f} a second, {left}"
        )

    def close(self) -> None:
        """End the bar."""
        self._bar.close()

    def _seconds_left(self) -> float:
        if self.done == self._planned:
            return 0.0
        return (self._planned - self.done) * self.seconds / self.done if self.done else math.inf

    def _show(self) -> None:
        self._metrics.left.set(self._planned - self.done)
        self._metrics.seconds_left.set(self._seconds_left())
