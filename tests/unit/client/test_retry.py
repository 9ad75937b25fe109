"""When the clients call again, and how long they wait before that."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import grpc
import pytest
from google.protobuf import any_pb2, duration_pb2
from google.rpc import error_details_pb2

from packshot import AsyncClient, Client, DeadlineExceededError, Rendered, UnavailableError
from packshot._retry import Attempts, RetryBudget
from packshot.v1 import packshot_pb2 as pb
from tests.support.scripted_service import ANSWER, Scripted, failing, serving

RETRY_S = 0.7
RETRY_INFO = error_details_pb2.RetryInfo(
    retry_delay=duration_pb2.Duration(nanos=int(RETRY_S * 1e9))
)
both = pytest.mark.parametrize("kind", ["sync", "async"])


@pytest.fixture
def service() -> Scripted:
    return Scripted()


@pytest.fixture
def target(service: Scripted) -> Iterator[str]:
    with serving(service) as address:
        yield address


def away(*details: Any) -> Callable[[Any], pb.RenderResponse]:
    return failing(grpc.StatusCode.UNAVAILABLE, "away", *details)


def away_status() -> pb.Status:
    holder = any_pb2.Any()
    holder.Pack(RETRY_INFO)
    return pb.Status(
        code=grpc.StatusCode.UNAVAILABLE.value[0], message="model away", details=[holder]
    )


async def render(target: str, kind: str, **arguments: Any) -> None:
    if kind == "sync":
        with Client(target) as client:
            await asyncio.to_thread(client.render, b"photo", **arguments)
    else:
        async with AsyncClient(target) as async_client:
            await async_client.render(b"photo", **arguments)


async def render_many(
    target: str, kind: str, *photos: bytes, retries: bool = True, **arguments: Any
) -> list[Rendered]:
    if kind == "sync":
        with Client(target, retries=retries) as client:
            return await asyncio.to_thread(lambda: list(client.render_many(photos, **arguments)))
    async with AsyncClient(target, retries=retries) as async_client:
        return [each async for each in async_client.render_many(photos, **arguments)]


@both
async def test_a_call_is_repeated_when_the_service_says(
    target: str, service: Scripted, kind: str
) -> None:
    times: list[float] = []

    def refuse(context: Any) -> pb.RenderResponse:
        times.append(time.monotonic())
        return away(RETRY_INFO)(context)

    def answer(_context: Any) -> pb.RenderResponse:
        times.append(time.monotonic())
        return ANSWER

    service.script = [refuse, refuse, answer]
    await render(target, kind)
    assert [later - sooner >= RETRY_S for sooner, later in zip(times, times[1:])] == [True, True]  # noqa: B905, RUF007


@both
async def test_a_wait_beyond_the_deadline_is_not_begun(
    target: str, service: Scripted, kind: str
) -> None:
    late = error_details_pb2.RetryInfo(retry_delay=duration_pb2.Duration(seconds=300))
    service.script = [away(late)]
    with pytest.raises(UnavailableError, match="away") as caught:
        await render(target, kind, timeout_s=60)
    assert caught.value.retry_after_s == 300
    assert len(service.requests) == 1


@both
async def test_a_stream_that_is_refused_is_opened_when_the_service_says(
    target: str, service: Scripted, kind: str
) -> None:
    service.refusals["stream"] = away(RETRY_INFO)
    began = time.monotonic()
    found = await render_many(target, kind, b"zero", b"one")
    assert time.monotonic() - began >= RETRY_S
    assert sorted(each.index for each in found) == [0, 1]
    assert all(each.packshot for each in found)


@both
async def test_a_stream_that_the_service_ends_goes_on_with_what_has_no_answer(
    target: str, service: Scripted, kind: str
) -> None:
    service.refusals["three"] = away(RETRY_INFO)
    photos = [b"zero", b"one", b"two", b"three", b"four", b"five"]
    found = await render_many(target, kind, *photos, window=2)
    assert sorted(each.index for each in found) == list(range(6))
    assert all(each.packshot and each.photo == photos[each.index] for each in found)
    sent = [request.photo for request in service.requests]
    assert sent.count(b"zero") == 1
    assert sent.count(b"three") == 2
    # A photo keeps its key, by which it is charged once however often it is sent.
    assert len({request.idempotency_key for request in service.requests}) == 6


@both
async def test_a_photo_that_met_no_model_is_sent_again_when_the_service_says(
    target: str, service: Scripted, kind: str
) -> None:
    service.failures["one"] = away_status()
    began = time.monotonic()
    found = await render_many(target, kind, b"zero", b"one", b"two")
    assert time.monotonic() - began >= RETRY_S
    assert sorted(each.index for each in found) == [0, 1, 2]
    assert all(each.packshot for each in found)
    assert [request.photo for request in service.requests].count(b"one") == 2


@both
async def test_nothing_of_a_stream_is_repeated_without_retries(
    target: str, service: Scripted, kind: str
) -> None:
    service.failures["one"] = away_status()
    found = await render_many(target, kind, b"zero", b"one", retries=False)
    assert {each.index: type(each.error) for each in found} == {
        0: type(None),
        1: UnavailableError,
    }
    service.refusals["stream"] = away(RETRY_INFO)
    with pytest.raises(UnavailableError):
        await render_many(target, kind, b"zero", retries=False)


@both
async def test_the_deadline_covers_every_call_of_a_stream(
    target: str, service: Scripted, kind: str
) -> None:
    over = threading.Event()

    def never() -> Iterator[bytes]:
        yield b"zero"
        service.refusals["one"] = away()
        yield b"one"
        over.wait(60)

    async def never_async() -> AsyncIterator[bytes]:
        for photo in (b"zero", b"one"):
            service.refusals["one"] = away()
            yield photo
        await asyncio.Event().wait()

    found: list[Rendered] = []

    async def gather() -> None:
        if kind == "sync":
            with Client(target) as client:
                for each in client.render_many(never(), timeout_s=1.5):
                    found.append(each)  # noqa: PERF402  what came before the error counts
        else:
            async with AsyncClient(target) as async_client:
                async for each in async_client.render_many(never_async(), timeout_s=1.5):
                    found.append(each)  # noqa: PERF401

    with pytest.raises(DeadlineExceededError):
        await gather()
    over.set()
    assert [each.index for each in found] == [0, 1]


@both
@pytest.mark.parametrize("timeout_s", [0, -1, float("nan"), float("inf")])
async def test_a_time_in_which_nothing_can_be_done_is_refused(
    target: str, service: Scripted, kind: str, timeout_s: float
) -> None:
    with pytest.raises(ValueError, match="timeout_s is"):
        await render(target, kind, timeout_s=timeout_s)
    with pytest.raises(ValueError, match="timeout_s is"):
        await render_many(target, kind, b"zero", timeout_s=timeout_s)
    with pytest.raises(ValueError, match="timeout_s is"):
        (Client if kind == "sync" else AsyncClient)(target, timeout_s=timeout_s)
    assert not service.requests


@both
@pytest.mark.parametrize("window", [0, -1])
async def test_a_window_without_room_is_refused(target: str, kind: str, window: int) -> None:
    with pytest.raises(ValueError, match="window is"):
        await render_many(target, kind, b"zero", window=window)


def test_the_wait_grows_and_varies_where_the_service_says_nothing() -> None:
    error = UnavailableError("away", code=grpc.StatusCode.UNAVAILABLE)
    waits = []
    for _ in range(200):
        attempts = Attempts(60, RetryBudget())
        waits.append([attempts.pause_s(error) for _ in range(3)])
        with pytest.raises(UnavailableError):
            attempts.pause_s(error)
    for wait, nominal in zip(zip(*waits, strict=True), (0.2, 0.4, 0.8), strict=True):
        assert nominal * 0.8 <= min(wait) < nominal * 0.9
        assert nominal * 1.1 < max(wait) <= nominal * 1.2


def test_a_service_that_is_away_for_all_is_not_called_again_by_all() -> None:
    budget = RetryBudget()
    error = UnavailableError("away", code=grpc.StatusCode.UNAVAILABLE)
    repeated = 0
    for _ in range(40):
        try:
            Attempts(60, budget).pause_s(error)
            repeated += 1
        except UnavailableError:
            pass
    assert repeated == 9  # half of the tokens
    for _ in range(200):
        budget.succeeded()
    Attempts(60, budget).pause_s(error)
