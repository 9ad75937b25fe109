"""One deadline, made when a call arrives, covers everything that is done for it."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import grpc.aio
import pytest

from gateway.accounts.holds import NoCreditHolds, Repeatable
from gateway.admission.caller import Caller
from gateway.app import Gateway
from gateway.config import GatewayConfig
from gateway.errors import DeadlineError
from gateway.rendering.deadline import Deadline
from packshot.v1 import packshot_pb2 as pb
from packshot.v1.packshot_pb2_grpc import PackshotServiceStub
from tests.support.fake_inference import FakeInferenceServer
from tests.support.pictures import encode, product_photo

PHOTO = encode(product_photo())
TIMEOUT_S = 1.0


class SlowCreditHolds(NoCreditHolds):
    """Takes its time to hold and to settle a credit."""

    hold_s = 0.0
    settle_s = 0.0

    @asynccontextmanager
    async def hold(
        self,
        caller: Caller,  # noqa: ARG002  one account
        repeatable: Repeatable | None,  # noqa: ARG002
        timeout_s: float,  # noqa: ARG002
    ) -> AsyncIterator[None]:
        await asyncio.sleep(self.hold_s)
        yield
        await asyncio.sleep(self.settle_s)


@pytest.mark.parametrize(
    ("hold_s", "inference_s", "settle_s"),
    [(0.7, 0.7, 0.0), (30.0, 0.0, 0.0), (0.0, 0.7, 0.7), (0.0, 0.0, 30.0)],
)
@pytest.mark.parametrize("streamed", [False, True])
async def test_hold_inference_and_settling_share_one_deadline(
    config: GatewayConfig,
    inference: FakeInferenceServer,
    monkeypatch: pytest.MonkeyPatch,
    hold_s: float,
    inference_s: float,
    settle_s: float,
    *,
    streamed: bool,
) -> None:
    """Neither part takes the default time alone, or does not end; together they are late."""
    monkeypatch.setattr(SlowCreditHolds, "hold_s", hold_s)
    monkeypatch.setattr(SlowCreditHolds, "settle_s", settle_s)
    monkeypatch.setattr("gateway.app.NoCreditHolds", SlowCreditHolds)
    inference.delay_s = inference_s
    gateway = Gateway(dataclasses.replace(config, default_timeout_s=TIMEOUT_S), inference)
    await gateway.start()
    request = pb.RenderRequest(photo=PHOTO)
    try:
        # The call has no deadline of its own.
        async with grpc.aio.insecure_channel(f"127.0.0.1:{gateway.port}") as channel:
            stub = PackshotServiceStub(channel)
            if streamed:
                call = stub.RenderStream(iter([pb.RenderStreamRequest(request=request)]))
                (reply,) = [reply async for reply in call]
                assert reply.error.code == grpc.StatusCode.DEADLINE_EXCEEDED.value[0]
                message = reply.error.message
            else:
                with pytest.raises(grpc.aio.AioRpcError) as caught:
                    await stub.Render(request)
                assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
                message = str(caught.value.details())
    finally:
        await gateway.stop()
    assert "1 s" in message


async def test_a_block_under_a_deadline_is_ended_by_it_and_keeps_its_own_errors() -> None:
    with pytest.raises(DeadlineError, match=r"0\.02 s"):
        async with Deadline.after(0.02).enforced():
            await asyncio.Event().wait()
    with pytest.raises(TimeoutError, match="its own"):
        async with Deadline.after(60).enforced():
            raise TimeoutError("its own")
    with pytest.raises(DeadlineError, match="0 s"):
        Deadline.after(0).remaining_s()
    assert Deadline.after(60).sooner(1).allowed_s == 1
    assert Deadline.after(1).sooner(60).allowed_s == 1
