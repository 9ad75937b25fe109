"""Many photos over one call, by either client."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from packshot import (
    AsyncClient,
    BackgroundPicture,
    Client,
    InvalidRequestError,
    Order,
    Rendered,
    UnavailableError,
)
from tests.support.scripted_service import Scripted, serving


@pytest.fixture
def service() -> Scripted:
    return Scripted()


@pytest.fixture
def target(service: Scripted) -> Iterator[str]:
    with serving(service) as address:
        yield address


async def collect(
    target: str, kind: str, photos: Iterable[Any], **arguments: Any
) -> list[Rendered]:
    if kind == "sync":
        with Client(target, retries=False) as client:
            return list(client.render_many(photos, **arguments))
    async with AsyncClient(target, retries=False) as client:
        return [each async for each in client.render_many(photos, **arguments)]


async def eventually(condition: Callable[[], bool]) -> bool:
    """Wait until something holds; the test's own timeout is the limit."""
    while not condition():
        await asyncio.sleep(0.01)
    return True


both = pytest.mark.parametrize("kind", ["sync", "async"])


@both
async def test_each_photo_has_its_outcome_and_a_bad_one_stops_nothing(
    target: str, service: Scripted, kind: str, tmp_path: Path
) -> None:
    (tmp_path / "two").write_bytes(b"two")
    photos = [b"zero", b"bad one", tmp_path / "two"]
    found = await collect(target, kind, photos, model="fast", priority="bulk")
    assert sorted(each.index for each in found) == [0, 1, 2]
    for each in found:
        assert each.photo == photos[each.index]
        assert (each.packshot is None) == (each.index == 1)
        assert isinstance(each.error, InvalidRequestError) == (each.index == 1)
    assert {(request.model, request.priority) for request in service.requests} == {("fast", 2)}


@both
async def test_a_photo_may_have_options_and_a_key_of_its_own(
    target: str, service: Scripted, kind: str
) -> None:
    orders = [b"zero", Order(b"one", {"model": "slow", "idempotency_key": "one"}), Order(b"two")]
    found = await collect(target, kind, orders, model="fast", idempotency_key="all")
    assert [each.photo for each in sorted(found, key=lambda each: each.index)] == [
        b"zero",
        b"one",
        b"two",
    ]
    asked = {request.photo: request for request in service.requests}
    assert [asked[photo].model for photo in (b"zero", b"one", b"two")] == ["fast", "slow", "fast"]
    keys = [asked[photo].idempotency_key for photo in (b"zero", b"one", b"two")]
    assert keys == ["all-0", "one", "all-2"]


@both
async def test_an_option_of_a_photo_s_own_that_cannot_be_is_raised(target: str, kind: str) -> None:
    with pytest.raises(ValueError, match="scale is -1"):
        await collect(target, kind, [b"zero", Order(b"one", {"scale": -1})])


@both
async def test_photos_are_read_as_room_comes_free(target: str, kind: str) -> None:
    read = 0

    def endless() -> Iterator[bytes]:
        nonlocal read
        while True:
            read += 1
            yield b"photo"

    if kind == "sync":
        with Client(target) as client:
            rendering = client.render_many(endless(), window=3)
            taken = [next(rendering) for _ in range(5)]
            rendering.close()
    else:
        async with AsyncClient(target) as async_client:
            rendering_async = async_client.render_many(endless(), window=3)
            taken = [await anext(rendering_async) for _ in range(5)]
            await rendering_async.aclose()
    assert sorted(each.index for each in taken) == list(range(5))
    # As many as were answered, a window of them more, and one that waits for room.
    assert read <= 5 + 3 + 1


@both
async def test_a_call_that_breaks_raises(target: str, kind: str) -> None:
    with pytest.raises(UnavailableError):
        await collect(target, kind, [b"zero", b"break", b"two"])


@both
async def test_a_photo_that_cannot_be_read_is_named_when_the_others_are_answered(
    target: str, kind: str, tmp_path: Path
) -> None:
    found: list[Rendered] = []
    missing = tmp_path / "missing.jpg"

    async def gather() -> None:
        if kind == "sync":
            with Client(target) as client:
                found.extend(client.render_many([b"zero", missing, b"two"]))
        else:
            async with AsyncClient(target) as async_client:
                async for each in async_client.render_many([b"zero", missing, b"two"]):
                    found.append(each)  # noqa: PERF401  what came before the error counts

    with pytest.raises(FileNotFoundError, match=r"missing\.jpg"):
        await gather()
    assert kind == "sync" or [each.index for each in found] == [0]


@both
async def test_options_are_judged_before_anything_is_sent(
    target: str, service: Scripted, kind: str
) -> None:
    with pytest.raises(TypeError, match="no such option"):
        await collect(target, kind, [b"zero"], colour="red")
    with pytest.raises(ValueError, match="known: interactive, bulk"):
        await collect(target, kind, [b"zero"], priority="urgent")
    for one in ("a.jpg", b"zero", BytesIO(b"zero")):
        with pytest.raises(TypeError, match="photos is one photo"):
            await collect(target, kind, one)
    assert service.requests == []


async def test_the_asynchronous_client_takes_photos_as_they_come(target: str) -> None:
    async def coming() -> AsyncIterator[bytes]:
        yield b"zero"
        yield b"one"

    async with AsyncClient(target) as client:
        assert {each.index async for each in client.render_many(coming())} == {0, 1}


@both
async def test_what_the_input_raises_is_raised_once_those_before_are_answered(
    target: str, kind: str
) -> None:
    found: list[Rendered] = []

    def breaking() -> Iterator[bytes]:
        yield b"zero"
        raise ZeroDivisionError("the caller's own")

    async def gather() -> None:
        if kind == "sync":
            with Client(target) as client:
                found.extend(iter(client.render_many(breaking())))
        else:
            async with AsyncClient(target) as async_client:
                async for each in async_client.render_many(breaking()):
                    found.append(each)  # noqa: PERF401  what came before the error counts

    with pytest.raises(ZeroDivisionError, match="the caller's own"):
        await gather()
    assert kind == "sync" or [each.index for each in found] == [0]


@both
async def test_a_photo_over_the_limit_is_not_sent_and_stops_nothing(
    target: str, service: Scripted, kind: str, tmp_path: Path
) -> None:
    service.stream_metadata = (("packshot-max-message-bytes", "3000"),)
    with (tmp_path / "huge.jpg").open("wb") as file:
        file.truncate(2**40)  # so large that reading it would be noticed
    photos = [b"zero", b"one", tmp_path / "huge.jpg", b"three", bytes(3001), b"five"]
    found = await collect(target, kind, photos, window=1)
    errors = {each.index: each.error for each in found}
    assert sorted(errors) == list(range(6))
    assert [index for index, error in errors.items() if error] == [2, 4]
    for index, value in ((2, 2**40), (4, 3001)):
        error = errors[index]
        assert isinstance(error, InvalidRequestError)
        assert error.figures["value"] == str(value)
        assert 2700 < int(error.figures["limit"]) < 3000
    assert len(service.requests) == 4


@both
async def test_photos_are_taken_from_open_files(
    target: str, service: Scripted, kind: str, tmp_path: Path
) -> None:
    (tmp_path / "one").write_bytes(b"one")
    with (tmp_path / "one").open("rb") as file:
        photos = [bytearray(b"zero"), file, memoryview(b"two")]
        found = await collect(target, kind, photos)
    assert sorted(each.index for each in found) == [0, 1, 2]
    assert next(each.photo for each in found if each.index == 1) is file
    assert [request.photo for request in service.requests] == [b"zero", b"one", b"two"]


@both
async def test_the_background_s_file_is_read_once(
    target: str, service: Scripted, kind: str
) -> None:
    background = BackgroundPicture(BytesIO(b"wall"))
    await collect(target, kind, [b"zero", b"one"], background=background)
    assert [request.background.picture.picture for request in service.requests] == [b"wall"] * 2


@both
async def test_a_consumer_that_fails_cancels_what_has_not_begun(
    target: str, service: Scripted, kind: str
) -> None:
    """By an exception in the loop, as Ctrl-C raises it, and without closing anything."""
    read = 0

    def endless() -> Iterator[bytes]:
        nonlocal read
        while True:
            read += 1
            yield b"photo"

    async def consume() -> None:
        if kind == "sync":
            with Client(target) as client:
                for each in client.render_many(endless(), window=2):
                    if each.index >= 3:
                        raise KeyboardInterrupt
        else:
            async with AsyncClient(target) as async_client:
                async for each in async_client.render_many(endless(), window=2):
                    if each.index >= 3:
                        raise ZeroDivisionError

    with pytest.raises((KeyboardInterrupt, ZeroDivisionError)):
        await consume()
    # As many as were answered, a window of them more, and one that waits for room.
    assert read <= 5 + 2 + 1
    assert len(service.requests) <= read
    assert await eventually(
        lambda: (
            not {"packshot-photos", "packshot-replies"}
            & {thread.name for thread in threading.enumerate()}
        )
    )


async def test_one_whose_answers_decide_what_it_sends_next_is_served(target: str) -> None:
    """Each photo is given once the last one has its outcome, however that came about."""
    with Client(target) as client:
        answered = threading.Semaphore(0)

        def one_by_one() -> Iterator[bytes]:
            for photo in (b"zero", b"bad", b"two"):
                yield photo
                assert answered.acquire(timeout=10)

        for _ in client.render_many(one_by_one()):
            answered.release()
