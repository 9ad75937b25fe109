"""Spans of a gateway, received by a collector in this process over real OTLP."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Iterator

import grpc.aio
import pytest

from gateway.admission.priority import Priority
from gateway.app import Gateway
from gateway.config import GatewayConfig
from gateway.inference.server import Matte, MattingModel
from gateway.observability.tracing import trace_headers
from imaging.types import Pixels
from packshot.v1 import packshot_pb2 as pb
from packshot.v1.packshot_pb2_grpc import PackshotServiceStub
from tests.support.collector import Collector, Span
from tests.support.fake_inference import FakeInferenceServer
from tests.support.pictures import encode, product_photo

PHOTO = encode(product_photo())
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
STAGES = {"decode", "prepare", "infer", "refine", "compose", "encode"}


class ListeningInferenceServer(FakeInferenceServer):
    """Keeps the headers by which each inference could continue the trace."""

    def __init__(self) -> None:
        super().__init__()
        self.headers: list[dict[str, str] | None] = []

    async def infer(
        self,
        model: MattingModel,
        photo: Pixels,
        timeout_s: float,
        priority: Priority = Priority.INTERACTIVE,
    ) -> Matte:
        if photo.max() > photo.min():  # no probe
            self.headers.append(trace_headers())
        return await super().infer(model, photo, timeout_s, priority)


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as collector:
        yield collector


@pytest.fixture
def inference() -> ListeningInferenceServer:
    return ListeningInferenceServer()


@pytest.fixture
def share() -> float:
    return 0.0


@pytest.fixture
async def gateway(
    config: GatewayConfig, inference: ListeningInferenceServer, collector: Collector, share: float
) -> AsyncIterator[Gateway]:
    traced = dataclasses.replace(config, otlp_endpoint=collector.endpoint, trace_share=share)
    gateway = Gateway(traced, inference)
    await gateway.start()
    yield gateway
    await gateway.stop()


async def render(gateway: Gateway, photo: bytes, *metadata: tuple[str, str]) -> None:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{gateway.port}") as channel:
        stub = PackshotServiceStub(channel)
        with_priority = pb.RenderRequest(photo=photo)
        try:
            await stub.Render(with_priority, metadata=metadata)
        except grpc.aio.AioRpcError as error:
            assert error.code() is grpc.StatusCode.INVALID_ARGUMENT


async def stopped(gateway: Gateway, collector: Collector) -> list[Span]:
    """Have the gateway send its last spans, and return them all."""
    await asyncio.to_thread(gateway._telemetry.close)  # noqa: SLF001  as `stop` does
    return collector.spans


async def test_a_caller_s_sampled_trace_goes_through_every_stage_and_on(
    gateway: Gateway, collector: Collector, inference: ListeningInferenceServer
) -> None:
    await render(gateway, PHOTO, ("traceparent", f"00-{TRACE}-{PARENT}-01"))
    spans = await stopped(gateway, collector)
    assert {span.trace_id for span in spans} == {TRACE}
    [call] = [span for span in spans if span.name == "Render"]
    assert call.parent_id == PARENT
    stages = {span.name: span for span in spans if span is not call}
    assert set(stages) == STAGES
    for stage in stages.values():
        assert stage.parent_id == call.span_id
        assert call.start_ns <= stage.start_ns <= stage.end_ns <= call.end_ns
    assert call.attributes["rpc.response.status_code"] == "OK"
    assert call.attributes["model"] == "matte"
    assert call.service == "packshot-gateway"
    [headers] = inference.headers
    assert headers == {"traceparent": f"00-{TRACE}-{stages['infer'].span_id}-01"}


async def test_a_caller_s_trace_that_is_not_sampled_makes_no_span(
    gateway: Gateway, collector: Collector, inference: ListeningInferenceServer
) -> None:
    await render(gateway, PHOTO, ("traceparent", f"00-{TRACE}-{PARENT}-00"))
    await render(gateway, PHOTO)  # of those that bring none, the share is 0
    assert not await stopped(gateway, collector)
    assert inference.headers == [None, None]


@pytest.mark.parametrize("share", [1.0])
async def test_an_error_is_marked_and_a_broken_header_is_no_reason_for_one(
    gateway: Gateway, collector: Collector
) -> None:
    await render(gateway, b"no photo", ("traceparent", "rubbish"))
    spans = await stopped(gateway, collector)
    [call] = [span for span in spans if span.name == "Render"]
    assert call.attributes["rpc.response.status_code"] == "INVALID_ARGUMENT"
    assert call.attributes["reason"] == "INVALID_PHOTO"
    assert call.failed
    assert not call.parent_id
