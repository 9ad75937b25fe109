"""Replies on their way: those that nobody takes end, with their connection, and give way."""

import asyncio
import dataclasses
import os
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

import pytest

from gateway.app import Gateway
from gateway.config import GatewayConfig
from gateway.observability.calls import Call
from gateway.rendering.render_call import RenderCall
from gateway.rpc.connections import drop_connection
from gateway.rpc.render import RenderHandler
from packshot import AsyncClient, OverloadedError
from packshot.v1 import packshot_pb2 as pb
from tests.attack.target import Target
from tests.attack.unread_replies import large_request
from tests.attack.wire import PACKSHOT, Gone, Wire, framed
from tests.support.fake_inference import FakeInferenceServer
from tests.support.pictures import encode, product_photo
from tests.support.scrape import total

PHOTO = encode(product_photo(), "JPEG")
LARGE = large_request(900)  # about 1.4 MB of PNG


@pytest.fixture
def config(config: GatewayConfig) -> GatewayConfig:
    # Room for one such reply, and not for two.
    return dataclasses.replace(
        config, max_photo_bytes=2**20, max_bytes_in_flight=2 * 2**20, max_in_flight=16
    )


@pytest.fixture
async def started(
    config: GatewayConfig, inference: FakeInferenceServer
) -> AsyncIterator[Callable[[float], Awaitable[Gateway]]]:
    """Start a gateway with a time for replies to be taken, s."""
    gateways: list[Gateway] = []

    async def start(send_timeout_s: float) -> Gateway:
        changed = dataclasses.replace(
            config, send_timeout_s=send_timeout_s, stream_idle_timeout_s=0.5, drain_timeout_s=0.5
        )
        gateways.append(Gateway(changed, inference))
        await gateways[-1].start()
        return gateways[-1]

    yield start
    for gateway in gateways:
        await gateway.stop()


def wire_to(gateway: Gateway) -> Wire:
    metrics = f"127.0.0.1:{gateway.metrics_port}"
    return Wire(Target(f"127.0.0.1:{gateway.port}", metrics, os.getpid()), takes=False)


def held_bytes(gateway: Gateway) -> float:
    return total(gateway._telemetry.registry, "packshot_admitted_bytes")  # noqa: SLF001


def dropped(gateway: Gateway) -> float:
    return total(gateway._telemetry.registry, "packshot_connections_dropped_total")  # noqa: SLF001


async def eventually(condition: Callable[[], bool], timeout_s: float = 20) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.02)


def ask(wire: Wire, method: str, message: bytes, *, end: bool = True) -> None:
    wire.send(wire.call(PACKSHOT + method), framed(message), end=end, within_s=10)


def is_closed(wire: Wire) -> bool:
    try:
        for _ in range(200):
            wire.pump(0.1)
    except Gone:
        return True
    return False


async def test_a_reply_that_nobody_takes_ends_with_its_connection(
    started: Callable[[float], Awaitable[Gateway]],
) -> None:
    gateway = await started(0.5)
    with wire_to(gateway) as wire:
        await asyncio.to_thread(ask, wire, "Render", LARGE)
        await eventually(lambda: held_bytes(gateway) > 1e6)
        assert await asyncio.to_thread(is_closed, wire)
        await eventually(lambda: not held_bytes(gateway))
        assert dropped(gateway) == 1


async def test_a_small_call_s_reply_that_nobody_takes_ends_with_its_connection(
    started: Callable[[float], Awaitable[Gateway]],
) -> None:
    gateway = await started(0.5)
    with wire_to(gateway) as wire:
        # Together they are more than the connection's window.
        for _ in range(40):
            await asyncio.to_thread(ask, wire, "ListPresets", b"")
        assert await asyncio.to_thread(is_closed, wire)
        await eventually(lambda: dropped(gateway) == 1)


async def test_a_reply_that_nobody_takes_gives_way_to_who_wants_its_room(
    started: Callable[[float], Awaitable[Gateway]],
) -> None:
    gateway = await started(600)
    with wire_to(gateway) as wire:
        for _ in range(2):
            await asyncio.to_thread(ask, wire, "Render", LARGE)
        await eventually(lambda: held_bytes(gateway) > 2 * 2**20)
        async with (
            asyncio.timeout(20),
            AsyncClient(f"127.0.0.1:{gateway.port}", timeout_s=20, retries=False) as client,
        ):
            served = False
            while not served:
                # Until the replies are no longer so young that they may be on their way.
                with suppress(OverloadedError):
                    served = (await client.render(PHOTO)).width_px == 120
                await asyncio.sleep(0.05)
        assert dropped(gateway) == 1
        assert await asyncio.to_thread(is_closed, wire)


async def test_a_photo_is_not_kept_while_its_reply_waits(
    started: Callable[[float], Awaitable[Gateway]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the service holds by then is counted by the reply's bytes alone."""
    requests: list[pb.RenderRequest] = []
    render = RenderHandler.render

    async def noting(
        self: RenderHandler, request: pb.RenderRequest, call: RenderCall, seen: Call
    ) -> pb.RenderResponse:
        requests.append(request)
        return await render(self, request, call, seen)

    monkeypatch.setattr(RenderHandler, "render", noting)
    gateway = await started(600)
    with wire_to(gateway) as wire:
        await asyncio.to_thread(ask, wire, "Render", LARGE)
        await eventually(lambda: held_bytes(gateway) > 1e6)
        # The list here and the argument: a message cannot be referred to weakly.
        await eventually(lambda: sys.getrefcount(requests[0]) == 2)
        assert held_bytes(gateway) > 1e6


async def test_a_stream_s_reply_that_nobody_takes_is_not_kept_after_the_stream(
    started: Callable[[float], Awaitable[Gateway]],
) -> None:
    gateway = await started(600)
    request = pb.RenderStreamRequest(id="a", request=pb.RenderRequest.FromString(LARGE))
    with wire_to(gateway) as wire:
        await asyncio.to_thread(ask, wire, "RenderStream", request.SerializeToString(), end=False)
        assert await asyncio.to_thread(is_closed, wire)
    assert dropped(gateway) == 1
    assert not held_bytes(gateway)


async def test_replies_that_are_taken_in_time_leave_their_connection_alone(
    started: Callable[[float], Awaitable[Gateway]],
) -> None:
    gateway = await started(0.5)
    async with AsyncClient(f"127.0.0.1:{gateway.port}", timeout_s=20, retries=False) as client:
        await client.render(PHOTO)
        await client.presets()
        await asyncio.sleep(1)
        await client.render(PHOTO)
        assert [each.packshot async for each in client.render_many([PHOTO] * 3)]
        await asyncio.sleep(1)
    assert dropped(gateway) == 0


@pytest.mark.parametrize(
    ("family", "address"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")]
)
def test_one_connection_is_found_by_its_peer_and_closed(family: int, address: str) -> None:
    with socket.create_server((address, 0), family=family) as server:
        port = server.getsockname()[1]
        with (
            socket.create_connection((address, port), 5) as first,
            socket.create_connection((address, port), 5) as second,
            server.accept()[0],
            server.accept()[0] as accepted,
        ):
            scheme, host = ("ipv4", address) if family == socket.AF_INET else ("ipv6", "%5B::1%5D")
            assert drop_connection(f"{scheme}:{host}:{first.getsockname()[1]}")
            assert first.recv(1) == b""
            accepted.sendall(b"x")
            assert second.recv(1) == b"x"
            assert not drop_connection(f"{scheme}:{host}:1")
            assert not drop_connection("unix:/run/packshot")
