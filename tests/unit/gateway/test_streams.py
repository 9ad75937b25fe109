"""Streams of photos over a real channel, with a fake inference server behind the gateway's seam."""

import asyncio
import contextlib
import dataclasses
import gc
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import grpc
import grpc.aio
import numpy as np
import pytest
from google.rpc import error_details_pb2

from gateway.admission.priority import Priority
from gateway.app import Gateway
from gateway.config import GatewayConfig
from gateway.inference.server import Matte, MattingModel
from imaging import errors as imaging_errors
from imaging.types import Pixels
from packshot import (
    AsyncClient,
    Client,
    DeadlineExceededError,
    InvalidRequestError,
    OverloadedError,
    UnavailableError,
)
from packshot.v1 import packshot_pb2 as pb
from packshot.v1.packshot_pb2_grpc import PackshotServiceStub
from tests.support.fake_inference import FakeInferenceServer
from tests.support.pictures import encode, product_photo
from tests.support.scrape import total

if TYPE_CHECKING:
    from packshot.v1.packshot_pb2_grpc import PackshotServiceAsyncStub

PHOTO = encode(product_photo())
NOISE = np.random.default_rng(0).integers(0, 200, (400, 400, 3), np.uint8)

Call: TypeAlias = grpc.aio.StreamStreamCall[pb.RenderStreamRequest, pb.RenderStreamResponse]


class GatedInferenceServer(FakeInferenceServer):
    """Counts the inferences that run, and holds them while its gate is shut; "slow" is slower."""

    def __init__(self) -> None:
        super().__init__()
        self.known.insert(1, MattingModel("slow", "1", 64, 48))
        self.gate = asyncio.Event()
        self.gate.set()
        self.running = 0
        self.most_running = 0
        self.asked = 0

    async def infer(
        self,
        model: MattingModel,
        photo: Pixels,
        timeout_s: float,
        priority: Priority = Priority.INTERACTIVE,
    ) -> Matte:
        if photo.max() == photo.min():  # a probe
            return await super().infer(model, photo, timeout_s, priority)
        self.asked += 1
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            await self.gate.wait()
            await asyncio.sleep(0.3 if model.name == "slow" else 0)
            return await super().infer(model, photo, timeout_s, priority)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.running -= 1


@pytest.fixture
async def inference() -> GatedInferenceServer:
    return GatedInferenceServer()


@pytest.fixture
def config(config: GatewayConfig) -> GatewayConfig:
    return dataclasses.replace(
        config, max_in_flight=16, stream_window=4, max_streams=3, probe_interval_s=5
    )


@pytest.fixture
async def stub(gateway: Gateway) -> AsyncIterator["PackshotServiceAsyncStub"]:
    options = [("grpc.max_receive_message_length", -1)]
    async with grpc.aio.insecure_channel(f"127.0.0.1:{gateway.port}", options) as channel:
        yield PackshotServiceStub(channel)


def message(name: str = "", photo: bytes = PHOTO, **options: Any) -> pb.RenderStreamRequest:
    return pb.RenderStreamRequest(id=name, request=pb.RenderRequest(photo=photo, **options))


async def one_reply(call: Call) -> pb.RenderStreamResponse:
    reply = await call.read()
    assert isinstance(reply, pb.RenderStreamResponse)
    return reply


async def replies(call: Call) -> list[pb.RenderStreamResponse]:
    """Read to the stream's end."""
    return [reply async for reply in call]


async def exchange(call: Call, *messages: pb.RenderStreamRequest) -> list[pb.RenderStreamResponse]:
    """Send messages, and read to the stream's end."""
    reading = asyncio.create_task(replies(call))
    for each in messages:
        await call.write(each)
    await call.done_writing()
    return await reading


def reason(status: pb.Status) -> str:
    info = error_details_pb2.ErrorInfo()
    info.ParseFromString(status.details[0].value)
    return str(info.reason)


async def eventually(condition: Callable[[], bool], timeout_s: float = 5) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.01)


async def settled(count: Callable[[], int], quiet_s: float = 0.5) -> int:
    """Return a count once it has not changed for a while."""
    before = -1
    while before != (before := count()):
        await asyncio.sleep(quiet_s)
    return before


def sample(gateway: Gateway, name: str, **labels: str) -> float:
    return total(gateway._telemetry.registry, name, **labels)  # noqa: SLF001  as scraped


async def test_replies_come_as_they_finish_each_with_its_id(
    stub: "PackshotServiceAsyncStub", gateway: Gateway
) -> None:
    answered = await exchange(
        stub.RenderStream(), message("last", model="slow"), message("a"), message("a"), message()
    )
    assert [reply.id for reply in answered][-1] == "last"
    assert sorted(reply.id for reply in answered) == ["", "a", "a", "last"]
    assert all(reply.response.picture for reply in answered)
    photos = sample(gateway, "packshot_requests_total", method="RenderStream.photo", code="OK")
    assert photos == 4
    assert sample(gateway, "packshot_requests_total", method="RenderStream", code="OK") == 1
    assert sample(gateway, "packshot_requests_in_flight", method="RenderStream") == 0


async def test_a_photo_that_comes_by_again_for_want_of_room_is_counted_once(
    stub: "PackshotServiceAsyncStub", gateway: Gateway, inference: GatedInferenceServer
) -> None:
    inference.error = imaging_errors.OverloadedError(
        "the model's queue is full", retry_after_s=0.01, figures={}
    )
    answered = asyncio.create_task(exchange(stub.RenderStream(), message("a")))
    await eventually(lambda: inference.asked > 1)
    inference.error = None
    assert [bool(reply.response.picture) for reply in await answered] == [True]
    decoded = "packshot_stage_duration_seconds_count"
    assert sample(gateway, decoded, stage="decode") == inference.asked
    assert sample(gateway, "packshot_photo_bytes_total") == len(PHOTO)


async def test_a_photo_fails_alone_with_the_status_that_render_would_give(
    stub: "PackshotServiceAsyncStub",
) -> None:
    answered = await exchange(
        stub.RenderStream(),
        message("text", b"no photo"),
        message("unknown", model="nosuch"),
        message("blank", encode(np.full((50, 50, 3), 255, np.uint8))),
        message("option", background=pb.Background(color="red")),
        message("x" * 129),
        pb.RenderStreamRequest(id="empty"),
        message("good"),
    )
    errors = {
        reply.id: (reply.error.code, reason(reply.error))
        for reply in answered
        if reply.WhichOneof("outcome") == "error"
    }
    assert errors == {
        "text": (grpc.StatusCode.INVALID_ARGUMENT.value[0], "INVALID_PHOTO"),
        "unknown": (grpc.StatusCode.NOT_FOUND.value[0], "MODEL_NOT_FOUND"),
        "blank": (grpc.StatusCode.FAILED_PRECONDITION.value[0], "NO_FOREGROUND"),
        "option": (grpc.StatusCode.INVALID_ARGUMENT.value[0], "INVALID_OPTION"),
        "x" * 129: (grpc.StatusCode.INVALID_ARGUMENT.value[0], "INVALID_OPTION"),
        "empty": (grpc.StatusCode.INVALID_ARGUMENT.value[0], "INVALID_PHOTO"),
    }
    (good,) = (reply for reply in answered if reply.HasField("response"))
    assert good.id == "good"


async def test_never_more_of_a_stream_is_inside_than_its_window(
    stub: "PackshotServiceAsyncStub", inference: GatedInferenceServer
) -> None:
    inference.delay_s = 0.05
    assert len(await exchange(stub.RenderStream(), *(message() for _ in range(20)))) == 20
    assert inference.most_running == 4


async def test_a_sender_that_is_too_fast_waits(
    stub: "PackshotServiceAsyncStub", gateway: Gateway, inference: GatedInferenceServer
) -> None:
    """What is read is the window; what is sent beyond lies within HTTP/2's own window."""
    inference.gate.clear()
    call = stub.RenderStream()
    photo = PHOTO + bytes(2**20)
    sent = 0

    async def send() -> None:
        nonlocal sent
        for _ in range(60):
            await call.write(message(photo=photo))
            sent += 1
        await call.done_writing()

    sending = asyncio.create_task(send())
    stuck_at = await settled(lambda: sent)
    print(f"stuck after {stuck_at} MiB")
    assert 4 <= stuck_at <= 24
    assert sample(gateway, "packshot_photo_bytes_total") == 4 * len(photo)
    # The connection is not stuck with the stream.
    assert (await stub.ListModels(pb.ListModelsRequest())).models
    inference.gate.set()
    assert len(await replies(call)) == 60
    await sending


async def test_a_reader_that_is_too_slow_stops_the_reading(
    stub: "PackshotServiceAsyncStub", inference: GatedInferenceServer
) -> None:
    call = stub.RenderStream()
    photo = encode(NOISE)
    png = pb.Output(format=pb.IMAGE_FORMAT_PNG)

    async def send() -> None:
        for _ in range(60):
            await call.write(message(photo=photo, output=png))
        await call.done_writing()

    sending = asyncio.create_task(send())
    stuck_at = await settled(lambda: len(inference.seen))
    print(f"stuck after {stuck_at} replies of {len(photo)} bytes")
    assert 4 <= stuck_at <= 24
    assert (await stub.Render(message().request)).picture
    assert len(await replies(call)) == 60
    await sending


async def test_where_the_service_is_full_a_stream_waits_and_others_are_refused(
    config: GatewayConfig, inference: GatedInferenceServer
) -> None:
    gateway = Gateway(dataclasses.replace(config, max_in_flight=3), inference)
    await gateway.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{gateway.port}") as channel:
        stub: PackshotServiceAsyncStub = PackshotServiceStub(channel)
        inference.gate.clear()
        streams = [
            asyncio.create_task(exchange(stub.RenderStream(), *(message() for _ in range(8))))
            for _ in range(2)
        ]
        await eventually(lambda: inference.running == 3)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.Render(message().request)
        assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        inference.gate.set()
        for answered in await asyncio.gather(*streams):
            assert [reply.WhichOneof("outcome") for reply in answered] == ["response"] * 8
    assert inference.most_running == 3
    await gateway.stop()


async def test_one_stream_too_many_is_refused_and_told_when_to_come_back(
    stub: "PackshotServiceAsyncStub",
) -> None:
    calls = [stub.RenderStream() for _ in range(3)]
    for call in calls:
        await call.initial_metadata()
    with pytest.raises(grpc.aio.AioRpcError, match="3 streams are open; the limit is 3") as refused:
        await exchange(stub.RenderStream())
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "grpc-status-details-bin" in dict(refused.value.trailing_metadata())
    await calls[0].done_writing()
    assert await replies(calls[0]) == []
    assert len(await exchange(stub.RenderStream(), message())) == 1


async def test_a_stream_that_stands_still_is_ended(
    config: GatewayConfig, inference: GatedInferenceServer
) -> None:
    """One that sends nothing, and one that takes no reply; not one whose photo takes its time."""
    gateway = Gateway(dataclasses.replace(config, stream_idle_timeout_s=0.4), inference)
    await gateway.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{gateway.port}") as channel:
        stub: PackshotServiceAsyncStub = PackshotServiceStub(channel)
        call = stub.RenderStream()
        inference.delay_s = 0.8
        await call.write(message("slow"))
        assert (await one_reply(call)).id == "slow"
        with pytest.raises(grpc.aio.AioRpcError, match=r"nothing moved .* for 0\.4 s") as idle:
            await call.read()
        assert idle.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        inference.delay_s = 0
        stalled = stub.RenderStream()
        photo = encode(NOISE)
        png = pb.Output(format=pb.IMAGE_FORMAT_PNG)

        async def send() -> None:
            for _ in range(60):
                await stalled.write(message(photo=photo, output=png))

        sending = asyncio.create_task(send())
        ended = {"method": "RenderStream", "code": "DEADLINE_EXCEEDED"}
        await eventually(lambda: sample(gateway, "packshot_requests_total", **ended) == 2)
        sending.cancel()
    await gateway.stop()


def sample_open(gateway: Gateway) -> float:
    return sample(gateway, "packshot_requests_in_flight", method="RenderStream")


async def test_a_late_photo_fails_alone(
    config: GatewayConfig, inference: GatedInferenceServer
) -> None:
    gateway = Gateway(dataclasses.replace(config, default_timeout_s=0.2), inference)
    await gateway.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{gateway.port}") as channel:
        stub: PackshotServiceAsyncStub = PackshotServiceStub(channel)
        answered = await exchange(
            stub.RenderStream(timeout=5), message("late", model="slow"), message("good")
        )
    assert {reply.id: reply.error.code for reply in answered} == {
        "late": grpc.StatusCode.DEADLINE_EXCEEDED.value[0],
        "good": 0,
    }
    await gateway.stop()


async def test_the_stream_s_deadline_cancels_what_is_in_flight(
    stub: "PackshotServiceAsyncStub", gateway: Gateway, inference: GatedInferenceServer
) -> None:
    inference.gate.clear()
    with pytest.raises(grpc.aio.AioRpcError) as late:
        await exchange(stub.RenderStream(timeout=0.5), *(message() for _ in range(3)))
    assert late.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    await eventually(lambda: inference.cancelled == 3)
    await eventually(lambda: not sample_open(gateway))
    for method, count in (("RenderStream.photo", 3), ("RenderStream", 1)):
        labels = {"method": method, "code": "DEADLINE_EXCEEDED"}
        assert sample(gateway, "packshot_requests_total", **labels) == count


async def test_a_caller_who_goes_away_cancels_what_is_in_flight(
    stub: "PackshotServiceAsyncStub", gateway: Gateway, inference: GatedInferenceServer
) -> None:
    inference.gate.clear()
    call = stub.RenderStream()
    for _ in range(6):
        await call.write(message())
    await eventually(lambda: inference.running == 4)
    call.cancel()
    await eventually(lambda: inference.cancelled == 4)
    await eventually(lambda: not sample_open(gateway))
    labels = {"method": "RenderStream.photo", "code": "CANCELLED"}
    assert sample(gateway, "packshot_requests_total", **labels) == 4
    assert sample(gateway, "packshot_stage_duration_seconds_count", stage="refine") == 0


async def test_a_gateway_that_stops_answers_what_it_has_read(
    config: GatewayConfig, inference: GatedInferenceServer
) -> None:
    gateway = Gateway(config, inference)
    await gateway.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{gateway.port}") as channel:
        stub: PackshotServiceAsyncStub = PackshotServiceStub(channel)
        inference.gate.clear()
        busy, idle, closed = (stub.RenderStream() for _ in range(3))
        for number in range(2):
            await busy.write(message(str(number)))
        await closed.write(message("last"))
        await closed.done_writing()
        await idle.initial_metadata()
        await eventually(lambda: inference.running == 3)
        stopping = asyncio.create_task(gateway.stop())
        with pytest.raises(grpc.aio.AioRpcError, match="send again what has no reply") as drained:
            await idle.read()
        assert drained.value.code() is grpc.StatusCode.UNAVAILABLE
        with contextlib.suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
            await busy.write(message("unread"))
        inference.gate.set()
        assert {(await one_reply(busy)).id, (await one_reply(busy)).id} == {"0", "1"}
        with pytest.raises(grpc.aio.AioRpcError, match="send again what has no reply"):
            await busy.read()
        assert [reply.id for reply in await replies(closed)] == ["last"]
        await stopping


async def test_a_message_of_another_kind_ends_the_stream(
    gateway: Gateway,
) -> None:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{gateway.port}") as channel:
        raw: Any = channel.stream_stream("/packshot.v1.PackshotService/RenderStream")
        call = raw()
        await call.write(b"\xff\xff\xff")
        with pytest.raises(grpc.aio.AioRpcError, match="cannot be read") as caught:
            await call.read()
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


# Photos that no other test has: what one of those left behind is no concern here.
@pytest.mark.parametrize("photo", [encode(product_photo(104, 88)), b"not even one photo at all"])
@pytest.mark.parametrize("ends", [False, True])
async def test_a_photo_that_is_answered_is_held_on_to_by_nothing(
    gateway: Gateway, photo: bytes, *, ends: bool
) -> None:
    """Neither by a stream that waits for more nor by one that has ended; nor is its reply."""
    kinds = (pb.RenderStreamRequest, pb.RenderStreamResponse, pb.RenderRequest, pb.RenderResponse)
    request = message("held", photo).SerializeToString()
    gc.collect()
    gc.disable()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{gateway.port}") as channel:
            # Bytes out, bytes in: the only message objects are the service's.
            call: Any = channel.stream_stream("/packshot.v1.PackshotService/RenderStream")()
            for _ in range(3):
                await call.write(request)
                await call.read()
            if ends:
                await call.done_writing()
                assert await call.read() is grpc.aio.EOF
            await asyncio.sleep(0.1)
            left = [each for each in gc.get_objects() if type(each) in kinds]
            assert [each for each in left if "held" in str(getattr(each, "id", ""))] == []
            assert photo not in [each.photo for each in left if isinstance(each, pb.RenderRequest)]
    finally:
        gc.enable()


async def test_the_asynchronous_client_hears_why_a_stream_ended_and_leaves_no_task(
    config: GatewayConfig, inference: GatedInferenceServer
) -> None:
    """Refused, late under a photo that is being written, and drained while it waits for room."""
    gateway = Gateway(dataclasses.replace(config, max_streams=1), inference)
    await gateway.start()
    large = PHOTO + b"padding." * 2**19
    before = asyncio.all_tasks()
    async with AsyncClient(f"127.0.0.1:{gateway.port}", retries=False) as client:
        first = client.render_many([PHOTO] * 20)
        await anext(first)
        with pytest.raises(OverloadedError, match="the limit is 1"):
            await anext(client.render_many([large] * 20))
        await first.aclose()
        await eventually(lambda: not sample_open(gateway))
        inference.gate.clear()
        with pytest.raises(DeadlineExceededError):
            await anext(client.render_many([large] * 20, timeout_s=0.5))
        await eventually(lambda: not sample_open(gateway))
        drained = client.render_many([PHOTO] * 20, window=1)
        waiting = asyncio.ensure_future(anext(drained))
        await eventually(lambda: inference.running == 1)
        stopping = asyncio.create_task(gateway.stop())
        inference.gate.set()
        assert (await waiting).packshot
        with pytest.raises(UnavailableError):
            async for _ in drained:
                pass
        await stopping
    await eventually(lambda: asyncio.all_tasks() <= before)


@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_one_photo_over_the_message_limit_costs_no_other(
    config: GatewayConfig, inference: GatedInferenceServer, kind: str
) -> None:
    """The service tells its limit, so that the client need not run into it."""
    gateway = Gateway(dataclasses.replace(config, max_photo_bytes=2**20), inference)
    await gateway.start()
    photos = [PHOTO, PHOTO, bytes(4 * 2**20), PHOTO, PHOTO, PHOTO]
    target = f"127.0.0.1:{gateway.port}"
    async with AsyncClient(target) as client:
        if kind == "sync":
            with Client(target) as blocking:
                found = await asyncio.to_thread(lambda: list(blocking.render_many(photos)))
        else:
            found = [each async for each in client.render_many(photos)]
        with pytest.raises(InvalidRequestError) as alone:
            await client.render(photos[2])
    await gateway.stop()
    outcomes = {each.index: each.packshot or each.error for each in found}
    assert sorted(outcomes) == list(range(6))
    (refused,) = [error for error in outcomes.values() if isinstance(error, Exception)]
    for error in (refused, alone.value):
        assert isinstance(error, InvalidRequestError)
        assert error.reason == "PHOTO_LIMIT"
        assert int(error.figures["value"]) >= 4 * 2**20
    assert isinstance(outcomes[2], InvalidRequestError)
