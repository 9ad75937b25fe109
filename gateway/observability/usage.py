"""Memory and processor time of the gateway's processes, read at each scrape."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress

import psutil
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from gateway.observability.metrics import Metrics


class UsageCollector(Collector):
    """Collects memory and processor time of this process and of its decode workers.

    Args:
        metrics: Declares both metrics.
        workers: Gives the process ids of the decode workers that live.
    """

    def __init__(self, metrics: Metrics, workers: Callable[[], Iterable[int]]) -> None:
        self._metrics = metrics
        self._workers = workers

    def collect(self) -> Iterator[Metric]:
        """Read both for each part."""
        own = os.times()
        # The only children that this process ever waits for are decode workers.
        workers_bytes, workers_s = 0, own.children_user + own.children_system
        for pid in self._workers():
            with suppress(psutil.Error):  # it may have ended since
                process = psutil.Process(pid)
                workers_bytes += process.memory_info().rss
                times = process.cpu_times()
                workers_s += times.user + times.system
        memory = self._metrics.resident_memory.family()
        part = self._metrics.resident_memory.labels
        memory.add_metric(part("gateway"), psutil.Process().memory_info().rss)
        memory.add_metric(part("decode_workers"), workers_bytes)
        yield memory
        cpu = self._metrics.cpu_seconds.family()
        part = self._metrics.cpu_seconds.labels
        cpu.add_metric(part("gateway"), own.user + own.system)
        cpu.add_metric(part("decode_workers"), workers_s)
        yield cpu
