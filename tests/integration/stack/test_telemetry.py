"""What the real stack tells of itself: figures that agree with each other, and traces to Triton."""

import asyncio
import bisect
import json
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from deploy.local.stack import best_model
from gateway.observability.metrics import REQUEST_BUCKETS_S
from packshot import AsyncClient, InvalidRequestError
from packshot.v1 import packshot_pb2 as pb
from packshot.v1.packshot_pb2_grpc import PackshotServiceStub
from tests.integration.conftest import StartTriton
from tests.integration.processes import ROOT, Triton
from tests.integration.stack.conftest import GatewayProcess, launch_gateway
from tests.support.collector import Collector, Span
from tests.support.pictures import encode, product_photo
from tests.support.scrape import families, total

MODEL = best_model(gpu=False)
# Nobody asks for an inference but callers.
UNASKED = {"PACKSHOT_PROBE_INTERVAL_S": "3600", "PACKSHOT_TRITON_PROBE_INTERVAL_S": "3600"}


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with Collector() as collector:
        yield collector


@pytest.fixture
def traced_triton(start_triton: StartTriton, collector: Collector) -> Triton:
    environ = UNASKED | {"PACKSHOT_OTLP_ENDPOINT": collector.endpoint}
    return start_triton(ROOT / "model_repository", models=(MODEL,), environ=environ)


@pytest.fixture
def gateway(
    traced_triton: Triton, collector: Collector, tmp_path: Path
) -> Iterator[GatewayProcess]:
    environ = UNASKED | {
        "PACKSHOT_DEFAULT_MODEL": MODEL,
        "PACKSHOT_OTLP_ENDPOINT": collector.endpoint,
        "PACKSHOT_TRACE_SHARE": "0",
    }
    started = launch_gateway(traced_triton, tmp_path / "gateway.log", environ)
    with started.process:
        started.process.wait_until(started.is_ready)
        yield started


async def test_after_a_known_load_all_figures_agree(
    gateway: GatewayProcess, traced_triton: Triton
) -> None:
    photo = encode(product_photo(), "JPEG")
    before, _ = traced_triton.statistics(MODEL)
    latencies_s: list[float] = []
    bad = 0

    async with AsyncClient(gateway.target, timeout_s=60, retries=False) as client:

        async def ask(count: int) -> None:
            nonlocal bad
            for number in range(count):
                start_s = time.monotonic()
                try:
                    await client.render(b"no photo" if number % 10 == 9 else photo)
                except InvalidRequestError:
                    bad += 1
                else:
                    latencies_s.append(time.monotonic() - start_s)

        await asyncio.gather(*(ask(30) for _ in range(4)))

    sent, good = 120, len(latencies_s)
    assert good + bad == sent

    def shown(name: str, **labels: str) -> float:
        return total(gateway.metrics_address, name, **labels)

    assert shown("packshot_images_total") == good
    assert shown("packshot_pixels_total") == good * 120 * 90
    assert shown("packshot_requests_total", method="Render", code="OK") == good
    assert shown("packshot_requests_total", method="Render", code="INVALID_ARGUMENT") == bad
    durations = "packshot_request_duration_seconds_count"
    assert shown(durations, method="Render", outcome="ok") == good
    assert shown(durations, method="Render", outcome="error") == bad
    for stage in ("infer", "refine", "compose", "encode"):
        assert shown("packshot_stage_duration_seconds_count", stage=stage) == good
    assert shown("packshot_matte_confidence_count") == good
    after, _ = traced_triton.statistics(MODEL)
    assert after - before == good
    inferences = total(traced_triton.metrics_address, "nv_inference_count_total", model=MODEL)
    assert inferences == after
    # Seconds on the gateway has asked Triton again, and its batches hold the same photos.
    deadline_s = time.monotonic() + 15
    while shown("packshot_triton_batch_size_sum", model=MODEL) != after:
        assert time.monotonic() < deadline_s
        await asyncio.sleep(0.2)

    buckets = REQUEST_BUCKETS_S
    measured = bisect.bisect_left(buckets, statistics.quantiles(latencies_s, n=20)[18])
    told = bisect.bisect_left(buckets, _p95_s(gateway.metrics_address))
    assert abs(measured - told) <= 1, (latencies_s, buckets[told])


def test_a_trace_goes_from_its_caller_through_the_gateway_into_triton(
    gateway: GatewayProcess, collector: Collector, tmp_path: Path
) -> None:
    trace, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    photo = encode(product_photo(), "JPEG")
    with grpc.insecure_channel(gateway.target) as channel:
        render = PackshotServiceStub(channel).Render
        request = pb.RenderRequest(photo=photo)
        traceparent = ("traceparent", f"00-{trace}-{parent}-01")
        render(request, timeout=60, metadata=(traceparent,))
        render(request, timeout=60)  # not traced, and Triton makes no trace of its own

    def of_trace() -> dict[str, Span]:
        return {span.name: span for span in collector.spans if span.trace_id == trace}

    gateway.process.wait_until(lambda: {"Render", "infer", "compute"} <= of_trace().keys(), 20)
    spans = of_trace()
    assert spans["Render"].parent_id == parent
    assert spans["infer"].parent_id == spans["Render"].span_id
    by_id = {span.span_id: span for span in spans.values()}
    above = spans["compute"]
    assert above.service == "packshot-triton"
    while above.service == "packshot-triton":
        above = by_id[above.parent_id]
    assert above is spans["infer"]
    assert spans["infer"].start_ns <= spans["compute"].start_ns
    assert {span.trace_id for span in collector.spans} == {trace}
    lines = [json.loads(line) for line in (tmp_path / "gateway.log").read_text().splitlines()]
    renders = [line for line in lines if line.get("method") == "Render"]
    assert renders[0]["trace_id"] == trace
    assert renders[1]["trace_id"] != trace


def _p95_s(address: str) -> float:
    """Return the bucket's bound below which 95 % of the good renders stayed."""
    [family] = [
        each for each in families(address) if each.name == "packshot_request_duration_seconds"
    ]
    buckets = sorted(
        (float(sample.labels["le"]), sample.value)
        for sample in family.samples
        if sample.name.endswith("_bucket")
        and sample.labels["method"] == "Render"
        and sample.labels["outcome"] == "ok"
        and sample.labels["priority"] == "interactive"
    )
    count = buckets[-1][1]
    return next(bound for bound, below in buckets if below >= 0.95 * count)
