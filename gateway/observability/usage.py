"""What the gateway's processes take of the machine: memory and processor time, read at a scrape.

The kernel's accounts of a process are files under /proc, as proc(5) describes them; where there are
none, the metrics have no series.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway.observability import catalogue

_PROC: Final = Path("/proc")
# Fields of /proc/PID/stat after the command's closing parenthesis, and of /proc/PID/statm.
_UTIME, _STIME, _RESIDENT = 11, 12, 1


class UsageCollector(Collector):
    """Collects memory and processor time of this process and of its decode workers.

    Args:
        workers: Gives the process ids of the decode workers that live.
    """

    def __init__(self, workers: Callable[[], Iterable[int]]) -> None:
        self._workers = workers

    def collect(self) -> Iterator[Metric]:
        """Read both for each part."""
        if not (_PROC / "self/stat").exists():
            return
        workers = tuple(self._workers())
        memory = GaugeMetricFamily(
            catalogue.RESIDENT_MEMORY.name, catalogue.RESIDENT_MEMORY.help, labels=("part",)
        )
        memory.add_metric(("gateway",), resident_bytes(os.getpid()))
        memory.add_metric(("decode_workers",), sum(map(resident_bytes, workers)))
        yield memory
        own = os.times()
        cpu = CounterMetricFamily(
            catalogue.CPU_SECONDS.name, catalogue.CPU_SECONDS.help, labels=("part",)
        )
        cpu.add_metric(("gateway",), own.user + own.system)
        # The only children that this process ever waits for are decode workers.
        ended_s = own.children_user + own.children_system
        cpu.add_metric(("decode_workers",), ended_s + sum(map(_cpu_s, workers)))
        yield cpu


def resident_bytes(pid: int) -> int:
    """Return a process' resident memory; 0 once it has gone."""
    with suppress(OSError, IndexError):
        pages = int((_PROC / str(pid) / "statm").read_text().split()[_RESIDENT])
        return pages * os.sysconf("SC_PAGE_SIZE")
    return 0


def _cpu_s(pid: int) -> float:
    with suppress(OSError, IndexError):
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        return (int(fields[_UTIME]) + int(fields[_STIME])) / os.sysconf("SC_CLK_TCK")
    return 0.0
