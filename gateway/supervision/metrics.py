"""The metrics of several gateway processes as one: what the supervisor shows.

prometheus_client's own metrics come from the processes' files, so that nothing of a process that
was killed is lost. What collectors make comes from the reports: of a process that was killed the
last half second is lost.
"""

import os
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import psutil
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway.observability.metrics import Metrics
from gateway.supervision.reports import Family, Report, collected
from processes.metrics import Declaration, Kind, MetricSet
from processes.metrics.across import Across

_SUPERVISOR: Final = 0

_Key = tuple[str, tuple[tuple[str, str], ...]]


class ByProcess(NamedTuple):
    """A gateway process, by its number."""

    process: str


class SupervisorMetrics(MetricSet):
    """What only a supervisor can tell.

    Args:
        registry: Where they are registered.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__(registry)
        self.processes = self.gauge(
            "packshot_processes", "Gateway processes that there are meant to be."
        )
        self.processes_ready = self.gauge(
            "packshot_processes_ready", "Gateway processes that render photos."
        )
        self.restarts = self.counter(
            "packshot_process_restarts_total",
            "Gateway processes that ended, or were stuck and killed, and were replaced.",
        )
        self.images = self.collected(
            CounterMetricFamily,
            "packshot_process_images_total",
            "Photos rendered by each gateway process, or by others of its number before it.",
            ByProcess,
        )


def all_metrics() -> tuple[Declaration, ...]:
    """Return what every metric was declared as, in the order of declaration."""
    return tuple(SupervisorMetrics(CollectorRegistry()).declared)


class ReportCollector(Collector):
    """Collects what the processes' last reports say.

    Args:
        metrics: Declares the supervisor's own.
        processes: How many processes there are.
    """

    def __init__(self, metrics: SupervisorMetrics, processes: int) -> None:
        self._images_family = metrics.images
        self._images = dict.fromkeys(range(1, processes + 1), 0.0)
        self._gateway = Metrics(CollectorRegistry())
        self._across = {each.name: each.across for each in self._gateway.declared}
        self._lock = threading.Lock()
        self._families: dict[int, tuple[Family, ...]] = {}
        # What the counters of processes that have ended had come to.
        self._ended: dict[_Key, float] = defaultdict(float)

    def hear(self, number: int, report: Report) -> None:
        """Take a process's report."""
        with self._lock:
            self._families[number] = report.families
            self._images[number] = report.images

    def forget(self, number: int) -> None:
        """Forget a process that has ended, but for its counters."""
        with self._lock:
            for family in self._families.pop(number, ()):
                if family.kind == Kind.COUNTER:
                    for sample in family.samples:
                        self._ended[_key(sample.name, sample.labels)] += sample.value

    def collect(self) -> Iterator[Metric]:
        """Make one metric of those of all processes."""
        own = collected(self._own())
        with self._lock:
            yield from self._merged({**self._families, _SUPERVISOR: own})
            images = self._images_family.family()
            for number, rendered in self._images.items():
                images.add_metric(self._images_family.labels(str(number)), rendered)
        yield images

    def _merged(self, by_process: dict[int, tuple[Family, ...]]) -> list[Metric]:
        metrics: dict[str, Metric] = {}
        values: dict[str, dict[_Key, float]] = {}
        for families in by_process.values():
            for family in families:
                metrics.setdefault(family.name, Metric(family.name, family.text, family.kind))
                known = values.setdefault(family.name, {})
                merge = self._merge(family)
                for sample in family.samples:
                    key = _key(sample.name, sample.labels)
                    first = self._ended.get(key, 0.0) + sample.value
                    known[key] = merge(known[key], sample.value) if key in known else first
        for name, metric in metrics.items():
            for (sample_name, labels), value in values[name].items():
                metric.add_sample(sample_name, dict(labels), value)
        return list(metrics.values())

    def _merge(self, family: Family) -> Callable[[float, float], float]:
        """Return what makes one value of two processes'."""
        # Of the client library's own, process_* and python_*, memory is summed as well.
        library = Across.SUM if family.name.endswith("_bytes") else Across.MOST
        across = self._across.get(family.name, library)
        if family.kind == Kind.COUNTER or across is Across.SUM:
            return lambda one, other: one + other
        return max if across is Across.MOST else min

    def _own(self) -> Iterator[Metric]:
        times, process = os.times(), psutil.Process()
        memory, cpu = self._gateway.resident_memory, self._gateway.cpu_seconds
        families = memory.family(), cpu.family()
        families[0].add_metric(memory.labels("supervisor"), process.memory_info().rss)
        families[1].add_metric(cpu.labels("supervisor"), times.user + times.system)
        yield from families


def _key(name: str, labels: dict[str, str]) -> _Key:
    return name, tuple(sorted(labels.items()))
