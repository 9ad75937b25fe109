"""Many photos over one call, for the asyncio client: tasks that feed, send and receive."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Iterable
from contextlib import suppress
from typing import Any

import grpc
import grpc.aio

from packshot._errors import PackshotError, UnavailableError
from packshot._many import Again, Book, Event, Fed, Order, Rendered, Unsent, check_several
from packshot._options import Photo, RenderOptions
from packshot._retry import Attempts
from packshot.v1 import packshot_pb2 as pb


async def stream_async(
    start: Callable[..., Any],
    photos: Iterable[Photo | Order] | AsyncIterable[Photo | Order],
    options: RenderOptions,
    window: int,
    attempts: Attempts,
    typed: Callable[..., PackshotError],
) -> AsyncGenerator[Rendered, None]:
    """Do what `stream` does, for asyncio; a plain iterable is read on the event loop.

    The call's errors are typed here: a generator around this one could not be dropped, since the
    event loop would close both at once.
    """
    check_several(photos)
    work = _Stream(Book(options, window, attempts), start, window)
    feeding = asyncio.create_task(work.feed(photos))
    try:
        while True:
            work.call(attempts.left_s)
            while not isinstance(event := await work.next_event(), _Ended):
                if outcome := work.take(event):
                    yield outcome
            if event.error is None:
                break
            error = typed(event.error, code=event.code(late=attempts.left_s == 0))
            if work.book.over and isinstance(error, UnavailableError):
                break  # nobody waits for anything more
            await asyncio.sleep(attempts.pause_s(error))
    finally:
        feeding.cancel()
        work.cancel()
        await asyncio.wait({feeding, *work.tasks})
    work.book.close()


class _Ended:
    """The call has ended; with an error, or because all was answered."""

    def __init__(self, error: grpc.aio.AioRpcError | None, *, broke_off: bool) -> None:
        self.error = error
        self._broke_off = broke_off

    def code(self, *, late: bool) -> grpc.StatusCode | None:
        """Tell the status where gRPC does not.

        A call that ends under a message being written is INTERNAL to gRPC, whatever its status:
        https://github.com/grpc/grpc/issues/36066
        """
        if not (self._broke_off and self.error and self.error.code() is grpc.StatusCode.INTERNAL):
            return None
        return grpc.StatusCode.DEADLINE_EXCEEDED if late else grpc.StatusCode.UNAVAILABLE


class _Stream:
    """One stream and its tasks: one feeds, one sends, one receives."""

    def __init__(self, book: Book, start: Callable[..., Any], window: int) -> None:
        self.book = book
        self.tasks: list[asyncio.Task[None]] = []
        self._start = start
        self._room = asyncio.Semaphore(window)
        self._outbox: asyncio.Queue[str | None] = asyncio.Queue()
        self._inbox: asyncio.Queue[Event | _Ended] = asyncio.Queue()
        self._taken: list[str] = []
        self._write_failed = False
        self._running: Any = None

    async def feed(self, photos: Iterable[Photo | Order] | AsyncIterable[Photo | Order]) -> None:
        """Admit the photos as room comes free."""
        error: Exception | None = None
        try:
            async for photo in _each(photos):
                await self._room.acquire()
                if self.book.fed:
                    break
                self._outbox.put_nowait(self.book.admit(photo))
        except Exception as exc:  # noqa: BLE001  raised where the caller waits
            error = exc
        self._inbox.put_nowait(Fed(error))

    def call(self, timeout_s: float | None) -> None:
        """Begin a call, with the photos that the last one left unanswered."""
        for name in self._taken:
            self._outbox.put_nowait(name)
        self._taken.clear()
        self._write_failed = False
        self._running = self._start(timeout=timeout_s)
        sending = asyncio.create_task(self._send(self._running))
        self.tasks = [sending, asyncio.create_task(self._receive(self._running, sending))]

    async def next_event(self) -> Event | _Ended:
        """Wait for what happens next."""
        if self.book.over:
            self._outbox.put_nowait(None)
        return await self._inbox.get()

    def take(self, event: Event) -> Rendered | None:
        """Take what has happened; return what became of a photo."""
        if isinstance(event, pb.RenderStreamResponse):
            self._taken.remove(event.id)
        elif isinstance(event, Unsent):
            self._taken.remove(event.name)
        outcome = self.book.take(event)
        if isinstance(outcome, Again):
            loop = asyncio.get_running_loop()
            loop.call_later(outcome.pause_s, self._outbox.put_nowait, outcome.name)
            return None
        if not isinstance(event, Fed):
            self._room.release()
        return outcome

    def cancel(self) -> None:
        """End everything; what has not begun never does."""
        for task in self.tasks:
            task.cancel()
        if self._running:
            self._running.cancel()

    async def _send(self, call: Any) -> None:
        """Send the photos, as a task of our own: gRPC's would outlive a call that waits."""
        with suppress(grpc.RpcError, asyncio.InvalidStateError):
            # The service begins its answer at once; a call that is refused is not written to, and
            # keeps its status.
            self.book.open(await call.initial_metadata())
            while (name := await self._outbox.get()) is not None:
                await self._send_one(call, name)
            await call.done_writing()

    async def _send_one(self, call: Any, name: str) -> None:
        self._taken.append(name)
        message = self.book.request(name)
        if isinstance(message, Unsent):
            self._inbox.put_nowait(message)
            return
        try:
            await call.write(message)
        except (grpc.RpcError, asyncio.InvalidStateError):
            self._write_failed = True
            raise

    async def _receive(self, call: Any, sending: "asyncio.Task[None]") -> None:
        error = None
        try:
            async for response in call:
                self._inbox.put_nowait(response)
        except grpc.aio.AioRpcError as exc:
            error = exc
        sending.cancel()
        await asyncio.wait({sending})
        self._inbox.put_nowait(_Ended(error, broke_off=self._write_failed))


async def _each(
    photos: Iterable[Photo | Order] | AsyncIterable[Photo | Order],
) -> AsyncIterator[Photo | Order]:
    if isinstance(photos, AsyncIterable):
        async for photo in photos:
            yield photo
    else:
        for photo in photos:
            yield photo
