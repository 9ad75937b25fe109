"""Each call leaves one line, with its trace's id, which an error names too."""

import asyncio
import logging

import grpc.aio
import pytest

from gateway.app import Gateway
from gateway.errors import InferenceFailedError
from packshot import AsyncClient, InvalidRequestError, OverloadedError, ServiceError
from packshot.v1 import packshot_pb2 as pb
from packshot.v1.packshot_pb2_grpc import PackshotServiceStub
from tests.support.fake_inference import FakeInferenceServer
from tests.support.pictures import encode, product_photo
from tests.support.scrape import total

PHOTO = encode(product_photo())
PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "gateway.calls")
    return caplog


def calls(lines: pytest.LogCaptureFixture) -> list[dict[str, object]]:
    return [vars(line) for line in lines.records if line.name == "gateway.calls"]


async def test_a_render_leaves_one_line_with_what_it_was_and_how_long_its_stages_took(
    client: AsyncClient, lines: pytest.LogCaptureFixture
) -> None:
    packshot = await client.render(PHOTO, priority="bulk")
    [line] = calls(lines)
    said = {
        "msg": "call",
        "method": "Render",
        "code": "OK",
        "priority": "bulk",
        "caller": "127.0.0.1",
        "photo_bytes": len(PHOTO),
        "photo_pixels": 120 * 90,
        "picture_bytes": len(packshot.picture),
        "model": "matte",
    }
    assert said.items() <= line.items()
    for stage in ("queue", "decode", "prepare", "infer", "refine", "compose", "encode"):
        assert line[f"{stage}_ms"] == pytest.approx(packshot.stages_s[stage] * 1e3, abs=0.051)
    assert isinstance(line["ms"], float)
    assert line["ms"] >= packshot.stages_s["total"] * 1e3 - 0.1


async def test_an_error_s_line_says_why_and_the_caller_can_name_the_trace(
    client: AsyncClient, inference: FakeInferenceServer, lines: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(InvalidRequestError) as first:
        await client.render(b"no photo")
    inference.error = InferenceFailedError("broken")
    with pytest.raises(ServiceError) as second:
        await client.render(PHOTO)
    assert [(line["code"], line["reason"]) for line in calls(lines)] == [
        ("INVALID_ARGUMENT", "INVALID_PHOTO"),
        ("INTERNAL", "INFERENCE_FAILED"),
    ]
    ids = {first.value.trace_id, second.value.trace_id}
    assert len(ids) == 2
    assert all(len(each) == 32 and int(each, 16) for each in ids)
    assert "trace_id" not in first.value.figures


async def test_the_caller_s_trace_is_continued_though_nothing_is_traced_here(
    gateway: Gateway,
) -> None:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{gateway.port}") as channel:
        stub = PackshotServiceStub(channel)
        call = stub.Render(pb.RenderRequest(photo=b"x"), metadata=(("traceparent", PARENT),))
        trailers = dict(await call.trailing_metadata())
    assert b"4bf92f3577b34da6a3ce929d0e0e4736" in trailers["grpc-status-details-bin"]


async def test_a_render_refused_before_its_photo_is_received_leaves_its_line_too(
    gateway: Gateway,
    client: AsyncClient,
    inference: FakeInferenceServer,
    lines: pytest.LogCaptureFixture,
) -> None:
    inference.delay_s = 1.0
    inside = [asyncio.create_task(client.render(PHOTO)) for _ in range(4)]
    async with asyncio.timeout(5):
        while total(gateway._telemetry.registry, "packshot_admitted_requests") < 4:  # noqa: SLF001
            await asyncio.sleep(0.02)
    with pytest.raises(OverloadedError) as caught:
        await client.render(PHOTO)
    assert caught.value.trace_id
    [line] = calls(lines)
    assert (line["code"], line["reason"]) == ("RESOURCE_EXHAUSTED", "OVERLOADED")
    await asyncio.gather(*inside)
    assert len(calls(lines)) == 5


async def test_a_bulk_render_refused_before_its_photo_is_received_counts_as_bulk(
    gateway: Gateway,
    client: AsyncClient,
    inference: FakeInferenceServer,
    lines: pytest.LogCaptureFixture,
) -> None:
    inference.delay_s = 1.0
    registry = gateway._telemetry.registry  # noqa: SLF001  as scraped
    inside = [asyncio.create_task(client.render(PHOTO, priority="bulk")) for _ in range(2)]
    async with asyncio.timeout(5):
        while total(registry, "packshot_admitted_requests", priority="bulk") < 2:
            await asyncio.sleep(0.02)
    with pytest.raises(OverloadedError):
        await client.render(PHOTO, priority="bulk")
    refused = {"method": "Render", "code": "RESOURCE_EXHAUSTED"}
    assert total(registry, "packshot_requests_total", priority="bulk", **refused) == 1
    assert total(registry, "packshot_requests_total", priority="interactive", **refused) == 0
    [line] = calls(lines)
    assert (line["priority"], line["caller"]) == ("bulk", "127.0.0.1")
    await asyncio.gather(*inside)


async def test_a_photo_of_a_stream_leaves_its_own_line(
    client: AsyncClient, lines: pytest.LogCaptureFixture
) -> None:
    async for _ in client.render_many([PHOTO, PHOTO]):
        pass
    methods = [line["method"] for line in calls(lines)]
    assert sorted(map(str, methods)) == ["RenderStream", *2 * ["RenderStream.photo"]]
