"""Decoding where the machine has run out of something: told at once, and over when it is over."""

import asyncio
import errno
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

import numpy as np
import psutil
import pytest

from gateway.app import Gateway
from gateway.config import GatewayConfig
from gateway.errors import DecodingUnavailableError
from gateway.rendering.decoding import pool as pools
from gateway.rendering.decoding.parcels import SealedBytes
from gateway.rendering.decoding.processes import ProcessDecoder
from imaging.decode.limits import PhotoLimits
from imaging.errors import InvalidPhotoError
from packshot import AsyncClient, Client, UnavailableError
from tests.support.decoding import decode_at_once
from tests.support.fake_inference import FakeInferenceServer
from tests.support.lone_gateway import lone_gateway
from tests.support.pictures import encode, product_photo
from tests.support.waiting import wait_until

LIMITS = PhotoLimits()
PHOTO = encode(product_photo(), "JPEG")
QUICKLY_S = 5.0


class Forks:
    """Stands before the starting of processes, which it can let fail.

    Attributes:
        fails_with: The error number of the next starts; 0: they go well.
        tries: How many starts there were.
    """

    def __init__(self) -> None:
        self.fails_with = 0
        self.tries = 0
        self._popen = subprocess.Popen

    def __call__(self, *args: object, **kwargs: object) -> object:
        self.tries += 1
        if self.fails_with:
            raise OSError(self.fails_with, os.strerror(self.fails_with))
        return self._popen(*args, **kwargs)  # type: ignore[call-overload]


@pytest.fixture
def forks(monkeypatch: pytest.MonkeyPatch) -> Forks:
    forks = Forks()
    monkeypatch.setattr("gateway.rendering.decoding.worker_process.subprocess.Popen", forks)
    return forks


@pytest.fixture
def decoder(forks: Forks) -> Iterator[ProcessDecoder]:
    del forks
    decoder = ProcessDecoder(2, 10, LIMITS, lambda: None)
    decoder.start()
    wait_until(lambda: len(decoder.pids()) == 2 and not decoder.hindrance())
    decode_at_once(decoder, PHOTO, LIMITS)
    yield decoder
    decoder.close()


def kill_all(decoder: ProcessDecoder) -> None:
    for pid in decoder.pids():
        os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("number", [errno.EAGAIN, errno.ENOMEM, errno.EMFILE])
def test_workers_come_back_when_processes_can_be_started_again(
    decoder: ProcessDecoder, forks: Forks, number: int
) -> None:
    forks.fails_with = number
    kill_all(decoder)
    wait_until(lambda: os.strerror(number) in decoder.hindrance())
    start_s = time.monotonic()
    with pytest.raises(DecodingUnavailableError, match=os.strerror(number)):
        decode_at_once(decoder, PHOTO, LIMITS)
    assert time.monotonic() - start_s < QUICKLY_S
    forks.fails_with = 0
    wait_until(lambda: not decoder.hindrance())
    assert decode_at_once(decoder, PHOTO, LIMITS).rgb.shape == (90, 120, 3)
    wait_until(lambda: len(decoder.pids()) == 2)


def test_a_start_that_fails_is_tried_again_ever_more_seldom(
    decoder: ProcessDecoder, forks: Forks
) -> None:
    forks.fails_with, before = errno.EAGAIN, forks.tries
    kill_all(decoder)
    wait_until(decoder.hindrance)
    threading.Event().wait(2)  # to see what is not done meanwhile
    assert 1 <= forks.tries - before <= 8


def test_a_decoder_without_workers_closes(decoder: ProcessDecoder, forks: Forks) -> None:
    forks.fails_with = errno.EAGAIN
    kill_all(decoder)
    wait_until(decoder.hindrance)
    decoder.close()
    assert decoder.pids() == ()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EMFILE, errno.ENOMEM])
def test_a_photo_that_cannot_be_handed_over_is_no_bad_photo(
    decoder: ProcessDecoder, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def fails(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    workers = set(decoder.pids())
    with monkeypatch.context() as patch:
        patch.setattr("os.memfd_create", fails)
        with pytest.raises(DecodingUnavailableError, match=os.strerror(number)):
            decode_at_once(decoder, PHOTO, LIMITS)
    assert decode_at_once(decoder, PHOTO, LIMITS).width_px == 120
    assert set(decoder.pids()) == workers


def test_pixels_that_cannot_be_mapped_cost_no_worker(
    decoder: ProcessDecoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> object:
        raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))

    workers = set(decoder.pids())
    with monkeypatch.context() as patch:
        patch.setattr("gateway.rendering.decoding.parcels.mmap.mmap", fails)
        with pytest.raises(DecodingUnavailableError, match="memory"):
            decode_at_once(decoder, PHOTO, LIMITS)
    assert decode_at_once(decoder, PHOTO, LIMITS).width_px == 120
    assert set(decoder.pids()) == workers


def test_a_worker_killed_between_header_and_pixels_costs_no_photo(decoder: ProcessDecoder) -> None:
    with decoder.open(PHOTO, LIMITS) as opened:
        assert (opened.width_px, opened.height_px) == (120, 90)
        kill_all(decoder)
        assert opened.decode().rgb.shape == (90, 120, 3)


def test_workers_killed_while_they_start_are_started_again(forks: Forks) -> None:
    decoder = ProcessDecoder(2, 10, LIMITS, lambda: None)
    decoder.start()
    wait_until(decoder.pids)
    kill_all(decoder)
    wait_until(lambda: not decoder.hindrance())
    assert decode_at_once(decoder, PHOTO, LIMITS).width_px == 120
    assert forks.tries >= 3
    decoder.close()


def test_a_worker_that_never_says_hello_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "_START_S", 0.5)
    monkeypatch.setattr(pools, "_PATIENCE_S", 0.3)
    popen = subprocess.Popen
    silent = True

    def start(command: list[str], **kwargs: object) -> object:
        return popen(["sleep", "60"] if silent else command, **kwargs)  # type: ignore[call-overload]

    monkeypatch.setattr("gateway.rendering.decoding.worker_process.subprocess.Popen", start)
    before = set(psutil.Process().children())
    decoder = ProcessDecoder(1, 10, LIMITS, lambda: None)
    decoder.start()
    with pytest.raises(DecodingUnavailableError):
        decode_at_once(decoder, PHOTO, LIMITS)
    wait_until(lambda: "did not say within 0.5 s" in decoder.hindrance())
    monkeypatch.setattr(pools, "_START_S", 60.0)
    silent = False
    wait_until(lambda: not decoder.hindrance())
    assert decode_at_once(decoder, PHOTO, LIMITS).width_px == 120
    decoder.close()
    assert set(psutil.Process().children()) == before


def test_a_photo_that_takes_too_much_processor_time_is_refused(decoder: ProcessDecoder) -> None:
    """The kernel counts it, so that it is so whatever runs in the worker."""
    large = SealedBytes([encode(np.zeros((4000, 4000, 3), np.uint8))])
    words = {"ask": "photo", "limits": asdict(LIMITS), "keep_metadata": False, "cpu_s": 0.02}
    with pytest.raises(InvalidPhotoError, match=r"within 0\.02 s of processor time") as caught:
        decoder.ask(words, large, 1000, lambda parcel: parcel)
    assert caught.value.figures == {"limit_s": "0.02"}
    assert decode_at_once(decoder, PHOTO, LIMITS).width_px == 120


async def test_a_gateway_without_decode_workers_says_so(
    inference: FakeInferenceServer, forks: Forks
) -> None:
    config = GatewayConfig(
        port=0, metrics_port=0, cpu_threads=2, decode_workers=1, probe_interval_s=0.05
    )
    gateway = Gateway(config, inference)
    await gateway.start()
    async with AsyncClient(f"127.0.0.1:{gateway.port}", timeout_s=20, retries=False) as client:
        assert (await client.render(PHOTO)).width_px == 120
        assert gateway._ready or await _becomes(gateway, ready=True)  # noqa: SLF001
        forks.fails_with = errno.EAGAIN
        os.kill(gateway._decoder.pids()[0], signal.SIGKILL)  # noqa: SLF001
        assert await _becomes(gateway, ready=False)
        with pytest.raises(UnavailableError) as caught:
            await client.render(PHOTO)
        assert caught.value.reason == "DECODING_UNAVAILABLE"
        assert caught.value.retry_after_s
        forks.fails_with = 0
        assert await _becomes(gateway, ready=True)
        assert (await client.render(PHOTO)).width_px == 120
    await gateway.stop()


async def _becomes(gateway: Gateway, *, ready: bool) -> bool:
    for _ in range(600):
        if gateway._ready is ready:  # noqa: SLF001
            return True
        await asyncio.sleep(0.05)
    return False


def _idle_connections(port: int, stack: ExitStack, most: int) -> None:
    """Open connections that say nothing, more than the gateway has descriptors."""
    for _ in range(most):
        stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=5))


def test_renders_go_on_while_idle_connections_take_all_descriptors(
    root: Path, tmp_path: Path
) -> None:
    settings = {"cpu_threads": 2, "drain_timeout_s": 2}
    log = tmp_path / "gateway.log"
    with (
        lone_gateway(root, log, open_files=256, settings=settings) as gateway,
        Client(f"127.0.0.1:{gateway.port}", timeout_s=30) as client,
    ):
        assert client.render(PHOTO).width_px == 120
        with ExitStack() as idle:
            _idle_connections(gateway.port, idle, 300)
            for _ in range(5):
                assert client.render(PHOTO).width_px == 120
            for pid in gateway.workers():
                os.kill(pid, signal.SIGKILL)
            for _ in range(5):
                assert client.render(PHOTO).width_px == 120
            gateway.process.send_signal(signal.SIGTERM)
            assert gateway.process.wait(30) == 0
    assert "Traceback" not in log.read_text()
