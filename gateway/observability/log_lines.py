"""What the log has lost, read at a scrape from the log itself."""

from collections.abc import Callable, Iterator

from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway.observability import catalogue


class LogCollector(Collector):
    """Collects how many lines of the log were dropped.

    Args:
        dropped: Tells how many, since the process began.
    """

    def __init__(self, dropped: Callable[[], int]) -> None:
        self._dropped = dropped

    def collect(self) -> Iterator[Metric]:
        """Read the number."""
        metric = catalogue.LOG_LINES_DROPPED
        lines = CounterMetricFamily(metric.name, metric.help)
        lines.add_metric((), self._dropped())
        yield lines
