"""Many photos over one call, by either client."""

from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from packshot import AsyncClient, Client, InvalidRequestError, Rendered, UnavailableError
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
