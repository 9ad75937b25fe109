"""The number of dropped log lines, read from the log at each scrape."""

from collections.abc import Callable, Iterator

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from gateway.observability.metrics import Metrics


class LogCollector(Collector):
    """Collects how many lines of the log were dropped.

    Args:
        metrics: Declares the metric.
        dropped: Returns how many, since the process began.
    """

    def __init__(self, metrics: Metrics, dropped: Callable[[], int]) -> None:
        self._lines = metrics.log_lines_dropped
        self._dropped = dropped

    def collect(self) -> Iterator[Metric]:
        """Read the number."""
        lines = self._lines.family()
        lines.add_metric((), self._dropped())
        yield lines
