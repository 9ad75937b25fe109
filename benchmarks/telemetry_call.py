"""What it takes to see one call: its metrics, its line and its spans, without anything else.

Processor time, and so hardly disturbed by what else the machine does. Run as a process of its own,
whose standard error is a file, as `python -m benchmarks.telemetry_call ENDPOINT SHARE`.
"""

import sys
import time

from prometheus_client import CollectorRegistry

from gateway.admission.caller import Caller
from gateway.observability.calls import Calls
from gateway.observability.labels import Method, Stage
from gateway.observability.metrics import Metrics
from gateway.observability.tracing import Tracing
from gateway.rendering.deadline import Deadline
from gateway.rendering.render_call import RenderCall
from gateway.rendering.timings import StageTime
from processes.logs import LogFormat, set_up_logging

_CALLS = 4000


def main() -> None:
    """See calls as a render is one, and print the microseconds that each took."""
    endpoint, share = sys.argv[1], float(sys.argv[2])
    set_up_logging("INFO", LogFormat.JSON)
    metrics = Metrics(CollectorRegistry())
    tracing = Tracing(endpoint, share, "benchmark")
    calls = Calls(metrics, tracing)
    for _ in range(_CALLS // 10):
        _see(calls, metrics)
    start_s = time.process_time()
    for _ in range(_CALLS):
        _see(calls, metrics)
    tracing.close()
    print(f"{(time.process_time() - start_s) / _CALLS * 1e6:.1f}")


def _see(calls: Calls, metrics: Metrics) -> None:
    with calls.answering(Method.RENDER, (("user-agent", "benchmark"),)) as call:
        call.facts |= {"caller": "127.0.0.1", "photo_bytes": 100_000, "model": "matte-int8"}
        call.render = RenderCall(Caller(None, "127.0.0.1"), Deadline.after(60))
        for stage in Stage:
            call.render.timings.append(StageTime(stage, 0.005, time.time_ns()))
        for counter in (metrics.images, metrics.pixels, metrics.photo_bytes):
            counter.inc()
        metrics.picture_bytes.inc(100_000)
        metrics.confidence.observe(0.9)
        call.facts |= {"photo_pixels": 1_000_000, "picture_bytes": 100_000, "confidence": 0.9}


if __name__ == "__main__":
    main()
