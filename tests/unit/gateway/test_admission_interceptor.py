"""How requests are received, under attack from 127.0.0.66: bounded, and fairly to 127.0.0.1."""

import asyncio
import dataclasses
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
import grpc.aio
import psutil
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from h2.settings import SettingCodes

from gateway.app import Gateway
from gateway.config import GatewayConfig
from packshot import AsyncClient
from packshot.v1 import packshot_pb2 as pb
from tests.attack import proto_bombs, slow_senders, stream_hogs, unfinished_messages
from tests.attack.target import Target
from tests.attack.wire import HEALTH, PACKSHOT, REFLECTION, Wire, beginning, framed
from tests.support.fake_inference import FakeInferenceServer
from tests.support.pictures import encode, product_photo
from tests.support.scrape import total

PHOTO = encode(product_photo(), "JPEG")
ATTACK_S = 4.0


@pytest.fixture
def config(config: GatewayConfig) -> GatewayConfig:
    return dataclasses.replace(config, max_receiving=4, max_streams=4, max_in_flight=16)


@pytest.fixture
def target(gateway: Gateway) -> Target:
    return target_of(gateway)


def target_of(gateway: Gateway) -> Target:
    metrics = f"127.0.0.1:{gateway.metrics_port}"
    return Target(f"127.0.0.1:{gateway.port}", metrics, os.getpid())


@pytest.fixture
async def short_times(
    config: GatewayConfig, inference: FakeInferenceServer
) -> AsyncIterator[Gateway]:
    gateway = Gateway(dataclasses.replace(config, default_timeout_s=0.5), inference)
    await gateway.start()
    yield gateway
    await gateway.stop()


async def beside(attack: Callable[[], str], errand: Callable[[], Awaitable[object]]) -> str:
    """Run an attack in a thread and errands beside it, each of which has to succeed."""
    attacking = asyncio.create_task(asyncio.to_thread(attack))
    errands = 0
    while not attacking.done():
        await errand()
        errands += 1
        await asyncio.sleep(0.1)
    assert errands > 5
    return await attacking


async def test_slow_senders_keep_nobody_else_out(
    gateway: Gateway, target: Target, client: AsyncClient
) -> None:
    said = await beside(lambda: slow_senders.attack(target, ATTACK_S), lambda: client.render(PHOTO))
    print(said)
    registry = gateway._telemetry.registry  # noqa: SLF001  as scraped
    assert total(registry, "packshot_admission_refusals_total", bound="receiving") > 0


async def test_streams_without_photos_keep_nobody_else_out(
    target: Target, client: AsyncClient
) -> None:
    async def stream() -> None:
        assert [each.packshot async for each in client.render_many([PHOTO])]

    print(await beside(lambda: stream_hogs.attack(target, ATTACK_S), stream))


async def test_unfinished_messages_to_any_method_are_held_to_a_few(
    target: Target, client: AsyncClient
) -> None:
    process = psutil.Process()
    before = most = process.memory_info().rss

    async def errand() -> None:
        nonlocal most
        await client.render(PHOTO)
        most = max(most, process.memory_info().rss)

    said = await beside(lambda: unfinished_messages.attack(target, ATTACK_S), errand)
    grown_mib = (most - before) >> 20
    print(f"{said}; {grown_mib} MiB more")
    # All 300 of 9 MiB would be 2 700 MiB; 4 of renders, 4 of streams and 8 others may be in hand.
    assert grown_mib < 600


async def test_bombs_to_every_method_are_refused_and_others_are_served(
    target: Target, client: AsyncClient
) -> None:
    said = await beside(lambda: proto_bombs.attack(target, ATTACK_S, (8, 1)), client.models)
    print(said)
    assert "open" not in said
    assert "status 3" in said
    assert "status 0" not in said


async def test_the_time_to_receive_is_the_deadline_or_the_service_s_own(
    short_times: Gateway,
) -> None:
    def stall(method: str) -> tuple[int, str] | None:
        with Wire(target_of(short_times)) as wire:
            stream = wire.call(method, ("grpc-timeout", "1H"))
            wire.send(stream, beginning(100_000, 1000), end=False, within_s=5)
            return wire.status(stream, 10)

    for method in (PACKSHOT + "Render", PACKSHOT + "ListModels", HEALTH + "Watch", REFLECTION):
        late = await asyncio.to_thread(stall, method)
        assert late == (4, "the request did not arrive within 0.5 s"), method


async def test_a_stream_without_a_first_photo_is_ended(short_times: Gateway) -> None:
    def stall() -> tuple[int, str] | None:
        with Wire(target_of(short_times)) as wire:
            return wire.status(wire.call(PACKSHOT + "RenderStream"), 10)

    late = await asyncio.to_thread(stall)
    assert late == (4, "no photo came on this stream within 0.5 s")


async def test_a_compressed_message_is_refused_unopened(target: Target) -> None:
    def send() -> tuple[int, str] | None:
        with Wire(target) as wire:
            stream = wire.call(HEALTH + "Check", ("grpc-encoding", "gzip"))
            wire.send(stream, proto_bombs.zipped(16 << 20), end=True, within_s=5)
            return wire.status(stream, 10)

    assert await asyncio.to_thread(send) == (12, "Compression algorithm 'gzip' is disabled.")


async def test_a_second_message_of_a_unary_call_is_refused(target: Target) -> None:
    def send() -> tuple[int, str] | None:
        with Wire(target) as wire:
            stream = wire.call(HEALTH + "Check")
            wire.send(stream, framed(b"") * 2, end=True, within_s=5)
            return wire.status(stream, 10)

    assert await asyncio.to_thread(send) == (3, "the call must bring one request")


async def test_what_is_sent_to_a_call_that_is_not_read_stays_within_its_window(
    target: Target,
) -> None:
    def send() -> int:
        with Wire(target) as wire:
            stream = wire.call(HEALTH + "Watch")
            wire.send(stream, framed(b""), end=False, within_s=5)
            junk, sent = bytes(1 << 16), 0
            # A window may open again by a few bytes at a time, so the clock ends this too.
            end_s = time.monotonic() + 20
            while wire.window(stream) and sent < 1 << 24 and time.monotonic() < end_s:
                size = min(len(junk), wire.window(stream))
                wire.send(stream, junk[:size], end=False, within_s=5)
                sent += size
                wire.pump(0.3)
            return sent

    assert await asyncio.to_thread(send) <= 2**18


async def test_a_watcher_that_takes_nothing_holds_up_neither_readiness_nor_the_end(
    config: GatewayConfig, inference: FakeInferenceServer
) -> None:
    gateway = Gateway(dataclasses.replace(config, drain_timeout_s=0.5), inference)
    await gateway.start()
    wire = await asyncio.to_thread(Wire, target_of(gateway), takes=False)

    def watch() -> None:
        wire.http.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 0})
        wire.flush()
        for _ in range(3):
            stream = wire.call(HEALTH + "Watch")
            wire.send(stream, framed(b""), end=True, within_s=1)
        wire.pump(0.2)

    await asyncio.to_thread(watch)
    async with grpc.aio.insecure_channel(f"127.0.0.1:{gateway.port}") as channel:
        health: Any = health_pb2_grpc.HealthStub(channel)
        inference.known.clear()
        end_s = time.monotonic() + 10
        serving = health_pb2.HealthCheckResponse.SERVING
        while (await health.Check(health_pb2.HealthCheckRequest())).status == serving:
            assert time.monotonic() < end_s
            await asyncio.sleep(0.02)
    async with asyncio.timeout(10):
        await gateway.stop()
    wire.socket.close()


async def test_watchers_hear_of_every_change_and_go_on_when_one_of_them_leaves(
    gateway: Gateway, inference: FakeInferenceServer
) -> None:
    response = health_pb2.HealthCheckResponse
    async with grpc.aio.insecure_channel(f"127.0.0.1:{gateway.port}") as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        watches = [stub.Watch(health_pb2.HealthCheckRequest()) for _ in range(2)]

        async def hears(watch: int, state: int) -> None:
            async with asyncio.timeout(10):
                while (await watches[watch].read()).status != state:
                    pass

        for number in range(2):
            await hears(number, response.SERVING)
        watches.pop(0).cancel()
        known = list(inference.known)
        inference.known.clear()
        await hears(0, response.NOT_SERVING)
        inference.known.extend(known)
        await hears(0, response.SERVING)
        unknown = stub.Watch(health_pb2.HealthCheckRequest(service="nosuch"))
        assert (await unknown.read()).status == response.SERVICE_UNKNOWN
        with pytest.raises(grpc.aio.AioRpcError) as missing:
            await stub.Check(health_pb2.HealthCheckRequest(service="nosuch"))
        assert missing.value.code() is grpc.StatusCode.NOT_FOUND


async def test_more_connections_than_allowed_are_closed(
    config: GatewayConfig, inference: FakeInferenceServer
) -> None:
    gateway = Gateway(dataclasses.replace(config, max_connections=3), inference)
    await gateway.start()

    def connect() -> int:
        wires = [Wire(target_of(gateway)) for _ in range(3)]
        for wire in wires:
            wire.pump(5)
        more = Wire(target_of(gateway))
        try:
            more.socket.settimeout(10)
            return len(more.socket.recv(1000))
        except ConnectionError:
            return 0
        finally:
            for wire in (*wires, more):
                wire.socket.close()

    assert await asyncio.to_thread(connect) == 0
    async with AsyncClient(f"127.0.0.1:{gateway.port}", timeout_s=10) as client:
        assert (await client.render(PHOTO)).width_px == 120
    await gateway.stop()


def test_a_render_s_message_may_be_as_large_as_its_files_are() -> None:
    request = pb.RenderRequest(photo=bytes(GatewayConfig().max_photo_bytes))
    assert request.ByteSize() < GatewayConfig().max_message_bytes
