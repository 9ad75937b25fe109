"""What several processes report becomes one metric each."""

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

from gateway.supervision.metrics import ReportCollector, SupervisorMetrics
from gateway.supervision.reports import Report, collected
from tests.support.scrape import total


def report(cpu_s: float, passes: int, *, reachable: bool, images: float = 0.0) -> Report:
    """Return what a process says, as its supervisor reads it."""
    cpu = CounterMetricFamily("packshot_cpu_seconds_total", "Time.", labels=["part"])
    cpu.add_metric(["gateway"], cpu_s)
    up = GaugeMetricFamily("packshot_triton_reachable", "Reachable.", labels=["triton"])
    up.add_metric(["t"], float(reachable))
    sizes = HistogramMetricFamily("packshot_triton_batch_size", "Sizes.", labels=["triton"])
    sizes.add_metric(["t"], [("1.0", passes), ("+Inf", passes)], passes)
    memory = GaugeMetricFamily("process_resident_memory_bytes", "Memory.")
    memory.add_metric([], 100)
    start = GaugeMetricFamily("process_start_time_seconds", "Start.")
    start.add_metric([], cpu_s)
    families = collected([cpu, up, sizes, memory, start])
    return Report.decoded(Report(images=images, families=families).encoded())


def test_a_report_is_read_as_it_was_written() -> None:
    once = report(1.5, 2, reachable=True, images=3)
    assert Report.decoded(once.encoded()) == once
    assert Report.decoded(Report(error="no").encoded()).error == "no"


def test_each_metric_is_merged_by_what_it_is() -> None:
    registry = CollectorRegistry()
    reports = ReportCollector(SupervisorMetrics(registry), 2)
    registry.register(reports)
    reports.hear(1, report(10, 5, reachable=False, images=7))
    reports.hear(2, report(4, 6, reachable=True, images=2))
    assert total(registry, "packshot_cpu_seconds_total", part="gateway") == 14
    assert total(registry, "packshot_triton_reachable") == 1
    # Both tell of the same passes.
    assert total(registry, "packshot_triton_batch_size_count") == 6
    assert total(registry, "process_resident_memory_bytes") == 200
    assert total(registry, "process_start_time_seconds") == 10
    assert total(registry, "packshot_process_images_total", process="1") == 7
    assert total(registry, "packshot_resident_memory_bytes", part="supervisor") > 2**20


def test_counters_of_a_process_that_has_ended_stay_and_its_gauges_go() -> None:
    registry = CollectorRegistry()
    reports = ReportCollector(SupervisorMetrics(registry), 2)
    registry.register(reports)
    reports.hear(1, report(10, 5, reachable=True, images=7))
    reports.hear(2, report(4, 5, reachable=True))
    reports.forget(1)
    reports.forget(1)
    cpu, memory = "packshot_cpu_seconds_total", "process_resident_memory_bytes"
    reports.hear(2, report(5, 5, reachable=True))
    assert (total(registry, cpu, part="gateway"), total(registry, memory)) == (15, 100)
    reports.hear(1, report(1, 5, reachable=True, images=8))
    assert (total(registry, cpu, part="gateway"), total(registry, memory)) == (16, 200)
    assert total(registry, "packshot_process_images_total", process="1") == 8
    reports.forget(1)
    reports.forget(2)
    reports.hear(2, report(0, 5, reachable=True))
    assert total(registry, cpu, part="gateway") == 16
