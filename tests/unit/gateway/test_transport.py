"""Callers that abuse HTTP/2, byte by byte: they are cut off or held back, and others are served."""

import asyncio
import dataclasses
import socket
import struct
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from typing import Any

import grpc
import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import pytest

from gateway.app import Gateway
from gateway.config import GatewayConfig
from gateway.rpc.transport import MAX_STREAMS
from packshot import AsyncClient
from packshot.v1 import packshot_pb2 as pb
from tests.support.fake_inference import FakeInferenceServer
from tests.support.pictures import encode, product_photo

PHOTO = encode(product_photo(), "JPEG")
PATH = "/packshot.v1.PackshotService/Render"
MOST_SECONDS = 10.0
_GOAWAY = 7  # the frame's type


class Abuser:
    """One raw connection."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=MOST_SECONDS)
        self.http = h2.connection.H2Connection(
            h2.config.H2Configuration(client_side=True, validate_outbound_headers=False)
        )
        self.http.initiate_connection()
        self.flush()
        self.events: list[h2.events.Event] = []

    def close(self) -> None:
        self.socket.close()

    def flush(self) -> None:
        self.socket.sendall(self.http.data_to_send())

    def call(self, *more: tuple[str, str]) -> int:
        stream = self.http.get_next_available_stream_id()
        headers = [(":method", "POST"), (":scheme", "http"), (":path", PATH), (":authority", "me")]
        headers += [("te", "trailers"), ("content-type", "application/grpc"), *more]
        self.http.send_headers(stream, headers)
        return stream

    def read_until(self, *kinds: type[h2.events.Event]) -> h2.events.Event | None:
        """Read on until an event of a kind comes; None: the connection was closed before."""
        end_s = time.monotonic() + MOST_SECONDS
        while time.monotonic() < end_s:
            for event in self.events:
                if isinstance(event, kinds):
                    self.events.remove(event)
                    return event
            try:
                data = self.socket.recv(65_536)
            except ConnectionError:
                return None
            if not data:
                return None
            self.events += self.http.receive_data(data)
            self.flush_quietly()
        raise AssertionError(f"nothing of {kinds} within {MOST_SECONDS} s")

    def is_cut_off(self) -> bool:
        """Read whatever comes, and tell whether the connection's end does."""
        end_s = time.monotonic() + MOST_SECONDS
        try:
            while time.monotonic() < end_s:
                if not self.socket.recv(65_536):
                    return True
        except ConnectionError:
            return True
        except TimeoutError:
            pass
        return False

    def flush_quietly(self) -> None:
        try:
            self.flush()
        except ConnectionError:
            self.http.clear_outbound_data_buffer()


@pytest.fixture
def abuser(gateway: Gateway) -> Iterator[Abuser]:
    with closing(Abuser(gateway.port)) as abuser:
        yield abuser


async def in_thread(work: object, *args: object) -> object:
    return await asyncio.to_thread(work, *args)  # type: ignore[arg-type]


async def assert_served(client: AsyncClient) -> None:
    start_s = time.monotonic()
    assert (await client.render(PHOTO)).width_px == 120
    assert time.monotonic() - start_s < MOST_SECONDS / 2


def _raw_call(channel: grpc.aio.Channel) -> Any:
    return channel.unary_unary(PATH)


def flood(abuser: Abuser, frame: bytes, count: int) -> bool:
    """Send a frame many times; returns whether the gateway cut the connection meanwhile."""
    try:
        for _ in range(count // 100):
            abuser.socket.sendall(frame * 100)
    except ConnectionError:
        return True
    return False


async def test_a_ping_flood_is_told_to_calm_down_and_cut_off(
    abuser: Abuser, client: AsyncClient
) -> None:
    ping = b"\0\0\x08\x06\0\0\0\0\0" + b"12345678"

    def attack() -> h2.events.Event | None:
        """Send pings, each after the last one's answer, until the gateway has had enough."""
        for _ in range(2000):
            # What is not read when the connection is reset is lost, and the reason with it.
            abuser.socket.sendall(ping)
            event = abuser.read_until(h2.events.PingAckReceived, h2.events.ConnectionTerminated)
            if not isinstance(event, h2.events.PingAckReceived):
                return event
        return None

    attacking = asyncio.create_task(asyncio.to_thread(attack))
    await assert_served(client)
    event = await attacking
    assert isinstance(event, h2.events.ConnectionTerminated)
    assert event.error_code == h2.errors.ErrorCodes.ENHANCE_YOUR_CALM
    assert await asyncio.to_thread(abuser.is_cut_off)


async def test_settings_and_reset_floods_leave_others_served(
    gateway: Gateway, client: AsyncClient
) -> None:
    settings = b"\0\0\x06\x04\0\0\0\0\0" + struct.pack(">HI", 4, 65_535)

    def settings_flood() -> None:
        with closing(Abuser(gateway.port)) as abuser:
            abuser.socket.settimeout(2)
            try:
                flood(abuser, settings, 20_000)
            except TimeoutError:
                return  # it reads no more, since its acknowledgements are not read

    def rapid_reset() -> None:
        with closing(Abuser(gateway.port)) as abuser:
            try:
                for _ in range(3000):
                    abuser.http.reset_stream(abuser.call(), h2.errors.ErrorCodes.CANCEL)
                    abuser.flush()
            except (ConnectionError, h2.exceptions.ProtocolError):
                return

    attacks = [asyncio.create_task(in_thread(work)) for work in (settings_flood, rapid_reset)]
    for _ in range(3):
        await assert_served(client)
    await asyncio.gather(*attacks)
    await assert_served(client)


async def test_says_how_many_streams_a_connection_may_have_and_refuses_more(
    abuser: Abuser, client: AsyncClient
) -> None:
    def attack() -> int:
        event = abuser.read_until(h2.events.RemoteSettingsChanged)
        assert isinstance(event, h2.events.RemoteSettingsChanged)
        assert abuser.http.remote_settings.max_concurrent_streams == MAX_STREAMS
        abuser.http.remote_settings.update({3: 10_000})  # and now against the gateway's word
        abuser.http.remote_settings.acknowledge()
        for _ in range(MAX_STREAMS + 20):
            abuser.call()
        abuser.flush()
        refused = 0
        while refused < 20:
            event = abuser.read_until(h2.events.StreamReset, h2.events.ConnectionTerminated)
            if not isinstance(event, h2.events.StreamReset):
                return 20
            refused += event.error_code == h2.errors.ErrorCodes.REFUSED_STREAM
        return refused

    attacking = asyncio.create_task(in_thread(attack))
    await assert_served(client)
    assert await attacking == 20


@pytest.mark.parametrize("count", [3, 40])
async def test_headers_that_are_too_large_are_refused(
    gateway: Gateway, client: AsyncClient, count: int
) -> None:
    headers = [(f"x-filler-{number}", "a" * 8000) for number in range(count)]
    async with grpc.aio.insecure_channel(f"127.0.0.1:{gateway.port}") as channel:
        with pytest.raises(grpc.aio.AioRpcError, match="exceeds hard limit") as caught:
            await _raw_call(channel)(b"", metadata=headers)
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    await assert_served(client)


@pytest.fixture
async def short_times(
    config: GatewayConfig, inference: FakeInferenceServer
) -> AsyncIterator[Gateway]:
    gateway = Gateway(dataclasses.replace(config, default_timeout_s=0.5), inference)
    await gateway.start()
    yield gateway
    await gateway.stop()


async def test_a_sender_that_stalls_is_ended_without_a_deadline_of_its_own(
    short_times: Gateway,
) -> None:
    def attack() -> bytes:
        with closing(Abuser(short_times.port)) as abuser:
            stream = abuser.call()
            abuser.http.send_data(stream, b"\0" + struct.pack(">I", 1_000_000) + bytes(1000))
            abuser.flush()
            while True:
                event = abuser.read_until(h2.events.ResponseReceived, h2.events.TrailersReceived)
                assert event is not None
                headers = dict(event.headers or [])  # type: ignore[attr-defined]
                if b"grpc-status" in headers:
                    return bytes(headers[b"grpc-status"])

    async with AsyncClient(f"127.0.0.1:{short_times.port}", timeout_s=10, retries=False) as client:
        attacking = asyncio.create_task(in_thread(attack))
        await assert_served(client)
        code = await attacking
    assert code == str(grpc.StatusCode.DEADLINE_EXCEEDED.value[0]).encode()


async def test_a_request_that_is_no_message_is_refused(gateway: Gateway) -> None:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{gateway.port}") as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await _raw_call(channel)(b"\xff\xff\xff\xff")
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_message_beyond_every_photo_is_refused_by_its_length_alone(
    abuser: Abuser, client: AsyncClient
) -> None:
    def attack() -> bytes:
        stream = abuser.call()
        abuser.http.send_data(stream, b"\0" + struct.pack(">I", 2**31 - 1) + bytes(1000))
        abuser.flush()
        while True:
            event = abuser.read_until(h2.events.ResponseReceived, h2.events.TrailersReceived)
            assert event is not None
            headers = dict(event.headers or [])  # type: ignore[attr-defined]
            if b"grpc-status" in headers:
                return bytes(headers[b"grpc-status"])

    attacking = asyncio.create_task(in_thread(attack))
    await assert_served(client)
    assert await attacking == str(grpc.StatusCode.RESOURCE_EXHAUSTED.value[0]).encode()


def test_the_largest_photo_fits_into_a_message_with_its_options() -> None:
    request = pb.RenderRequest(photo=bytes(GatewayConfig().max_photo_bytes))
    assert request.ByteSize() < 2 * GatewayConfig().max_photo_bytes


def is_told_to_go(abuser: Abuser) -> bool:
    """Read frames until one is GOAWAY; False: none came for a while."""
    abuser.socket.settimeout(MOST_SECONDS / 4)
    data = b""
    try:
        while more := abuser.socket.recv(65_536):
            data += more
            while len(data) >= 9 + (length := int.from_bytes(data[:3])):
                if data[3] == _GOAWAY:
                    return True
                data = data[9 + length :]
    except TimeoutError:
        pass
    return False


@pytest.mark.parametrize("max_age_s", [1.0, 600.0])
async def test_a_connection_is_told_to_go_at_the_age_that_is_set(
    config: GatewayConfig, inference: FakeInferenceServer, max_age_s: float
) -> None:
    gateway = Gateway(dataclasses.replace(config, max_connection_age_s=max_age_s), inference)
    await gateway.start()
    try:
        with closing(Abuser(gateway.port)) as abuser:
            told = await in_thread(is_told_to_go, abuser)
    finally:
        await gateway.stop()
    assert told == (max_age_s < MOST_SECONDS)
