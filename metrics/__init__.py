"""What a metric of any process is: its name, kind, labels and buckets, whatever it says."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import product


class Kind(StrEnum):
    """The kinds of metrics, by the names that Prometheus gives them."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric.

    Attributes:
        name: As queries name it, a counter's `_total` included, a histogram's suffixes not.
        kind: What it is.
        help: What it says, one sentence.
        labels: The values of each label; empty where Triton alone knows them.
        buckets: Upper bounds of a histogram's buckets.
        combinations: The values that occur together, in the labels' order; None: all of them.
    """

    name: str
    kind: Kind
    help: str
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    buckets: tuple[float, ...] = ()
    combinations: tuple[tuple[str, ...], ...] | None = None

    @property
    def series(self) -> Iterable[tuple[str, ...]]:
        """The label values of every series that is there from the start."""
        return product(*self.labels.values()) if self.combinations is None else self.combinations
