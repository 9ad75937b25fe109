"""What a gateway shows Prometheus: the whole catalogue, lint-clean, from the first scrape on."""

import asyncio
import subprocess
from collections.abc import Callable
from contextlib import suppress
from urllib.request import Request, urlopen

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from gateway.app import Gateway
from gateway.errors import InferenceUnavailableError
from gateway.observability.metrics import Metrics, all_metrics
from packshot import AsyncClient, InvalidRequestError, ModelNotFoundError, UnavailableError
from processes.metrics import Declaration, Kind
from tests.support.fake_inference import FakeInferenceServer
from tests.support.pictures import encode, product_photo
from tests.support.prometheus import need
from tests.support.scrape import families, total

PHOTO = encode(product_photo())
# Of the client library's own.
OTHERS = ("process_", "python_")

Scraped = Callable[[], set[tuple[str, frozenset[tuple[str, str]]]]]


def address(gateway: Gateway) -> str:
    return f"127.0.0.1:{gateway.metrics_port}"


async def until_asked(gateway: Gateway) -> None:
    """Wait until Triton has been asked how it is."""
    async with asyncio.timeout(5):
        while not await asyncio.to_thread(total, address(gateway), "packshot_triton_reachable"):
            await asyncio.sleep(0.02)


async def test_every_metric_of_the_catalogue_is_shown_and_no_other(gateway: Gateway) -> None:
    await until_asked(gateway)
    shown = {
        family.name: (family.type, family.documentation)
        for family in await asyncio.to_thread(families, address(gateway))
        if not family.name.startswith(OTHERS)
    }
    assert shown == {
        metric.name.removesuffix("_total" if metric.kind is Kind.COUNTER else ""): (
            metric.kind,
            metric.help,
        )
        for metric in all_metrics()
    }


async def test_calls_of_all_kinds_bring_no_series_that_was_not_there_before(
    gateway: Gateway, client: AsyncClient, inference: FakeInferenceServer
) -> None:
    def series() -> set[tuple[str, frozenset[tuple[str, str]]]]:
        return {
            (sample.name, frozenset(sample.labels.items()))
            for family in families(address(gateway))
            for sample in family.samples
        }

    await until_asked(gateway)
    before = await asyncio.to_thread(series)
    await client.render(PHOTO, priority="bulk", preset="amazon-main")
    await client.models()
    await client.presets()
    with pytest.raises(InvalidRequestError):
        await client.render(b"no photo")
    with pytest.raises(ModelNotFoundError):
        await client.render(PHOTO, model="made-up")
    inference.error = InferenceUnavailableError("away")
    with pytest.raises(UnavailableError):
        await client.render(PHOTO)
    assert await asyncio.to_thread(series) == before


async def test_a_render_is_counted_timed_and_measured(
    gateway: Gateway, client: AsyncClient
) -> None:
    packshot = await client.render(PHOTO)
    with pytest.raises(InvalidRequestError):
        await client.render(b"no photo")

    def shown(name: str, **labels: str) -> float:
        return total(address(gateway), name, **labels)

    def check() -> None:
        assert shown("packshot_requests_total", code="OK", method="Render") == 1
        interactive = {"method": "Render", "priority": "interactive"}
        assert shown("packshot_requests_total", code="INVALID_ARGUMENT", **interactive) == 1
        assert shown("packshot_requests_total") == 2
        for outcome in ("ok", "error"):
            count = shown("packshot_request_duration_seconds_count", outcome=outcome, **interactive)
            assert count == 1
        for stage in ("queue", "decode", "prepare", "infer", "refine", "compose", "encode"):
            # What is no photo waits for a thread and then is none.
            expected = 2 if stage in ("queue", "decode") else 1
            count = shown("packshot_stage_duration_seconds_count", stage=stage)
            assert 1 <= count <= expected
            seconds = shown("packshot_stage_duration_seconds_sum", stage=stage)
            assert seconds >= packshot.stages_s[stage]
        assert shown("packshot_errors_total", reason="INVALID_PHOTO") == 1
        assert shown("packshot_errors_total") == 1
        assert shown("packshot_images_total") == 1
        assert shown("packshot_pixels_total") == 120 * 90
        assert shown("packshot_photo_bytes_total") == len(PHOTO) + len(b"no photo")
        assert shown("packshot_picture_bytes_total") == len(packshot.picture)
        assert shown("packshot_matte_confidence_sum") == pytest.approx(packshot.confidence)
        assert shown("packshot_requests_in_flight") == 0
        assert shown("packshot_admitted_requests") == shown("packshot_admitted_bytes") == 0
        assert shown("packshot_admitted_requests_limit") == 4
        assert 0 < shown("packshot_resident_memory_bytes") < shown("packshot_memory_ceiling_bytes")
        assert shown("packshot_cpu_seconds_total") > 0

    await asyncio.to_thread(check)


async def test_what_is_inside_is_shown_while_it_is_inside(
    gateway: Gateway, client: AsyncClient, inference: FakeInferenceServer
) -> None:
    inference.delay_s = 60.0  # longer than the checks take on any machine
    under_way = asyncio.create_task(client.render(PHOTO, priority="bulk"))
    async with asyncio.timeout(5):
        while not await asyncio.to_thread(total, address(gateway), "packshot_admitted_pixels"):
            await asyncio.sleep(0.02)

    def check() -> None:
        for what in ("requests", "bytes", "pixels"):
            name = f"packshot_admitted_{what}"
            assert total(address(gateway), name, priority="bulk") > 0
            assert total(address(gateway), name, priority="interactive") == 0
        assert total(address(gateway), "packshot_requests_in_flight", method="Render") == 1

    await asyncio.to_thread(check)
    under_way.cancel()
    with suppress(asyncio.CancelledError):
        await under_way


async def test_what_triton_says_of_its_models_is_shown_and_stays_while_it_is_away(
    gateway: Gateway, inference: FakeInferenceServer
) -> None:
    def shown(name: str, **labels: str) -> float:
        return total(address(gateway), name, triton="fake:1", **labels)

    def check_batches() -> None:
        assert shown("packshot_triton_batch_size_bucket", model="matte", le="1.0") == 3
        assert shown("packshot_triton_batch_size_bucket", model="matte", le="2.0") == 4
        assert shown("packshot_triton_batch_size_count", model="matte") == 4
        assert shown("packshot_triton_batch_size_sum", model="matte") == 5
        labels = {"device": "cpu", "precision": "fp32", "version": "3", "default": "yes"}
        assert total(address(gateway), "packshot_model_info", model="matte", **labels) == 1

    await until_asked(gateway)
    await asyncio.to_thread(check_batches)
    inference.away = True
    async with asyncio.timeout(5):
        while await asyncio.to_thread(shown, "packshot_triton_reachable"):
            await asyncio.sleep(0.02)
    await asyncio.to_thread(check_batches)


async def test_the_page_is_lint_clean(gateway: Gateway, client: AsyncClient) -> None:
    promtool = need("promtool")
    await client.render(PHOTO)

    def page() -> bytes:
        with urlopen(f"http://{address(gateway)}/metrics", timeout=5) as reply:
            return bytes(reply.read())

    checked = subprocess.run(  # noqa: ASYNC221  nobody waits
        [promtool, "check", "metrics"],
        input=await asyncio.to_thread(page),
        capture_output=True,
        check=False,
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


async def test_open_metrics_are_spoken_to_whom_asks_for_them(gateway: Gateway) -> None:
    def page() -> str:
        accept = {"Accept": "application/openmetrics-text; version=1.0.0"}
        request = Request(f"http://{address(gateway)}/metrics", headers=accept)
        with urlopen(request, timeout=5) as reply:  # noqa: S310
            assert reply.headers["Content-Type"].startswith("application/openmetrics-text")
            return str(reply.read().decode())

    page_text = await asyncio.to_thread(page)
    assert list(text_string_to_metric_families(page_text))  # type: ignore[no-untyped-call]


def test_an_exemplar_names_the_trace() -> None:
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    metrics.confidence.observe(0.5, {"trace_id": "4bf92f3577b34da6a3ce929d0e0e4736"})
    metrics.confidence.observe(0.9)
    exemplars = [
        sample.exemplar.labels
        for family in registry.collect()
        for sample in family.samples
        if sample.exemplar
    ]
    assert exemplars == [{"trace_id": "4bf92f3577b34da6a3ce929d0e0e4736"}]


def test_every_series_whose_labels_are_known_is_there_at_zero() -> None:
    registry = CollectorRegistry()
    Metrics(registry)
    there = {
        tuple(sample.labels.get(label, "") for label in metric.labels)
        for metric in all_metrics()
        if not metric.is_collected
        for family in registry.collect()
        if family.name == metric.name.removesuffix("_total")
        for sample in family.samples
    }
    for metric in all_metrics():
        if not metric.is_collected and metric.labels:
            assert set(metric.series) <= there


@pytest.mark.parametrize("metric", all_metrics(), ids=lambda metric: metric.name)
def test_names_follow_the_conventions(metric: Declaration) -> None:
    assert metric.name.startswith("packshot_")
    assert metric.name.endswith("_total") == (metric.kind is Kind.COUNTER)
    assert metric.help.endswith(".")
    assert bool(metric.buckets) == (metric.kind is Kind.HISTOGRAM)
    assert list(metric.buckets) == sorted(metric.buckets)
