"""Many photos over one call: what both clients share of `RenderStream`."""

import asyncio
import threading
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Callable,
    Iterable,
    Iterator,
)
from dataclasses import dataclass
from typing import Any

import grpc

from packshot._answer import Packshot, from_response
from packshot._errors import PackshotError, ServiceError, from_rpc_error
from packshot._options import Photo, RenderOptions
from packshot._request import to_request
from packshot.v1 import packshot_pb2 as pb

DEFAULT_WINDOW = 16

_CODES = {code.value[0]: code for code in grpc.StatusCode}


@dataclass(frozen=True, slots=True)
class Rendered:
    """What became of one photo of many.

    Attributes:
        index: Which one it was, from 0, in the order that they were given in.
        photo: The photo as it was given.
        packshot: The packshot; None if there is none.
        error: Why there is none, as `render` would have raised it; None if there is one.
    """

    index: int
    photo: Photo
    packshot: Packshot | None
    error: PackshotError | None


class _Book:
    """The photos that are under way, and what kept one from being sent."""

    def __init__(self, options: RenderOptions) -> None:
        to_request(b"", options)  # what is wrong with the options is said before anything is sent
        self._options = options
        self._sent: dict[str, Photo] = {}
        self._count = 0
        self.failure: Exception | None = None  # of a photo that cannot be read

    def request(self, photo: Photo) -> pb.RenderStreamRequest | None:
        """Build the next message; None, and a failure, if the photo cannot be read."""
        try:
            request = to_request(photo, self._options)
        except (OSError, TypeError) as exc:
            self.failure = exc
            return None
        name = str(self._count)
        self._count += 1
        self._sent[name] = photo
        return pb.RenderStreamRequest(id=name, request=request)

    def close(self) -> None:
        """Raise what kept a photo from being sent, or say that some have no answer.

        Raises:
            ServiceError: The service ended the stream too early.
        """
        if self.failure:
            raise self.failure
        if self._sent:
            raise ServiceError(
                f"the service ended the stream with {len(self._sent)} photos unanswered",
                code=grpc.StatusCode.UNKNOWN,
            )

    def answer(self, response: pb.RenderStreamResponse) -> Rendered:
        """Read a reply."""
        photo = self._sent.pop(response.id)
        if response.HasField("error"):
            status = response.error
            error = from_rpc_error(
                _CODES.get(status.code, grpc.StatusCode.UNKNOWN),
                status.message,
                {"grpc-status-details-bin": status.SerializeToString()},
            )
            return Rendered(int(response.id), photo, None, error)
        return Rendered(int(response.id), photo, from_response(response.response), None)


def stream(
    start: Callable[..., Any],
    photos: Iterable[Photo],
    options: RenderOptions,
    window: int,
    timeout_s: float | None,
) -> Iterator[Rendered]:
    """Send photos, at most a window of them ahead of their replies, and yield what comes back.

    Args:
        start: The stub's method.
        photos: Read by a thread of gRPC's, one by one.
        options: Of every photo.
        window: Most photos sent and not answered.
        timeout_s: Seconds for the whole call; None: as long as it takes.

    Raises:
        grpc.RpcError: The call itself failed.
        OSError: A photo cannot be read; those before it have been answered.
        TypeError: There is no such option, or a photo is none.
        ValueError: As `Client.render`.
    """
    book = _Book(options)
    room, over = threading.Semaphore(window), threading.Event()

    def requests() -> Iterator[pb.RenderStreamRequest]:
        for photo in photos:
            room.acquire()
            message = None if over.is_set() else book.request(photo)
            if message is None:
                return
            yield message

    call = start(requests(), timeout=timeout_s)
    try:
        for response in call:
            room.release()
            yield book.answer(response)
    finally:
        over.set()
        room.release()
        call.cancel()
    book.close()


async def stream_async(
    start: Callable[..., Any],
    photos: Iterable[Photo] | AsyncIterable[Photo],
    options: RenderOptions,
    window: int,
    timeout_s: float | None,
) -> AsyncGenerator[Rendered, None]:
    """Do what `stream` does, for asyncio; a plain iterable is read on the event loop."""
    book = _Book(options)
    room = asyncio.Semaphore(window)

    async def requests() -> AsyncIterator[pb.RenderStreamRequest]:
        async for photo in _each(photos):
            await room.acquire()
            message = book.request(photo)
            if message is None:
                return
            yield message

    call = start(requests(), timeout=timeout_s)
    try:
        async for response in call:
            room.release()
            yield book.answer(response)
    finally:
        call.cancel()
    book.close()


async def _each(photos: Iterable[Photo] | AsyncIterable[Photo]) -> AsyncIterator[Photo]:
    if isinstance(photos, AsyncIterable):
        async for photo in photos:
            yield photo
    else:
        for photo in photos:
            yield photo
