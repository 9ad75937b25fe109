"""Many photos over one call: what both clients share of `RenderStream`."""

import asyncio
import threading
import time
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Callable,
    Iterable,
    Iterator,
)
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import grpc
import grpc.aio

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
    """The photos that are under way, and what kept the next one from being sent."""

    def __init__(self, options: RenderOptions) -> None:
        to_request(b"", options)  # what is wrong with the options is said before anything is sent
        self._options = options
        self._sent: dict[str, Photo] = {}
        self._count = 0
        self.failure: Exception | None = None  # of the input, or a photo that cannot be read
        self.write_failed = False

    def request(self, photo: Photo) -> pb.RenderStreamRequest:
        """Build the next message; what is raised is for `failure`."""
        request = to_request(photo, self._options)
        name = str(self._count)
        if request.idempotency_key:
            request.idempotency_key += f"-{name}"
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
        Exception: What `photos` raises, once those before have been answered.
    """
    book = _Book(options)
    room, over = threading.Semaphore(window), threading.Event()

    def requests() -> Iterator[pb.RenderStreamRequest]:
        try:
            for photo in photos:
                room.acquire()
                if over.is_set():
                    return
                yield book.request(photo)
        except Exception as exc:  # noqa: BLE001  gRPC's thread has no use for it, the caller has
            book.failure = exc

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
    """Do what `stream` does, for asyncio; a plain iterable is read on the event loop.

    The call's errors are typed here: a generator around this one could not be dropped, since the
    event loop would close both at once.
    """
    book = _Book(options)
    room = asyncio.Semaphore(window)
    start_s = time.monotonic()
    call = start(timeout=timeout_s)
    sending = asyncio.create_task(_send(call, photos, book, room))
    try:
        async for response in call:
            room.release()
            yield book.answer(response)
    except grpc.aio.AioRpcError as exc:
        code, message = exc.code(), exc.details()
        if book.write_failed and code is grpc.StatusCode.INTERNAL:
            # So gRPC calls, whatever its status, a call that ends under a message being written:
            # https://github.com/grpc/grpc/issues/36066
            late = timeout_s is not None and time.monotonic() - start_s >= timeout_s
            code = grpc.StatusCode.DEADLINE_EXCEEDED if late else grpc.StatusCode.UNAVAILABLE
            message = "the stream broke off under a photo"
        raise from_rpc_error(code, message, dict(exc.trailing_metadata())) from exc
    finally:
        sending.cancel()
        call.cancel()
        await asyncio.wait({sending})
    book.close()


async def _send(
    call: Any, photos: Iterable[Photo] | AsyncIterable[Photo], book: _Book, room: asyncio.Semaphore
) -> None:
    """Send the photos, as a task of our own: gRPC's would outlive a call that waits for room."""
    # The service says at once that a stream is open; one that is refused is not written to, and
    # keeps its status.
    await call.initial_metadata()
    try:
        async for photo in _each(photos):
            await room.acquire()
            message = book.request(photo)
            try:
                await call.write(message)
            except (grpc.RpcError, asyncio.InvalidStateError):
                book.write_failed = True
                return  # the call has ended, and says why where replies are read
    except Exception as exc:  # noqa: BLE001  raised where the caller waits
        book.failure = exc
    with suppress(grpc.RpcError, asyncio.InvalidStateError):
        await call.done_writing()


async def _each(photos: Iterable[Photo] | AsyncIterable[Photo]) -> AsyncIterator[Photo]:
    if isinstance(photos, AsyncIterable):
        async for photo in photos:
            yield photo
    else:
        for photo in photos:
            yield photo
