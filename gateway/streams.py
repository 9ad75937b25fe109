"""Streams of photos: many over one call, and never more inside than a stream's window."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import TypeAlias

import grpc.aio
from google.protobuf.message import DecodeError
from google.rpc import status_pb2

from gateway.errors import (
    DrainingError,
    InvalidRequestError,
    OverloadedError,
    StreamIdleError,
)
from gateway.render_call import Deadline
from packshot.v1 import packshot_pb2 as pb

# When a caller may come back to a service with too many open streams, which last for long.
_REFUSED_RETRY_S = 1.0

Context: TypeAlias = grpc.aio.ServicerContext[pb.RenderStreamRequest, pb.RenderStreamResponse]
# Returns the deadline that the photo has had since it was read.
WaitForRoom: TypeAlias = Callable[[pb.RenderStreamRequest], Awaitable[Deadline]]
# A block that has a photo's outcome, and holds what it takes until the outcome has been sent.
Rendered: TypeAlias = Callable[
    [pb.RenderStreamRequest, Deadline],
    AbstractAsyncContextManager[pb.RenderResponse | status_pb2.Status],
]


class PhotoStreams:
    """The open streams.

    Args:
        window: Most photos of one stream that are inside at once, replies that nobody has taken
            yet included.
        max_streams: Most streams open at once.
        idle_timeout_s: Seconds without a photo, a result or a reply taken until a stream is ended.
    """

    def __init__(self, window: int, max_streams: int, idle_timeout_s: float) -> None:
        self._window = window
        self._max_streams = max_streams
        self._idle_timeout_s = idle_timeout_s
        self._open: set[_Stream] = set()
        self._draining = False

    @property
    def open(self) -> int:
        """How many are open."""
        return len(self._open)

    async def serve(self, context: Context, wait_for_room: WaitForRoom, rendered: Rendered) -> None:
        """Answer the photos of one stream until its caller has sent the last one.

        Args:
            context: The call.
            wait_for_room: Waits until a photo may be rendered, before the next one is read.
            rendered: Gives a photo's outcome; raises nothing but what ends the stream.

        Raises:
            DrainingError: The gateway stops; every photo that was read has its reply.
            InvalidRequestError: A message is none of this interface.
            OverloadedError: As many streams as may be are open.
            StreamIdleError: Nothing moved for too long.
        """
        stream = _Stream(context, wait_for_room, rendered, self._window)
        with self._opened(stream):
            # An open stream is to be told from one that is refused before any photo is sent.
            await context.send_initial_metadata(())
            await stream.run(self._idle_timeout_s)

    def drain(self) -> None:
        """Read no further message of any stream; each ends once what it has read is answered."""
        self._draining = True
        for stream in self._open:
            stream.stop_reading()

    @contextmanager
    def _opened(self, stream: "_Stream") -> Iterator[None]:
        if self._draining:
            raise DrainingError("the service is about to stop")
        if len(self._open) >= self._max_streams:
            raise OverloadedError(
                f"{len(self._open)} streams are open; the limit is {self._max_streams}",
                retry_after_s=_REFUSED_RETRY_S,
                figures={"limit": self._max_streams, "value": len(self._open)},
            )
        self._open.add(stream)
        try:
            yield
        finally:
            self._open.discard(stream)


class _Stream:
    """One stream: as many workers as its window holds photos.

    A worker reads a photo, has it rendered, writes the reply and only then reads again. So a sender
    that is too fast and a reader that is too slow both leave the rest to HTTP/2's flow control.
    What a worker holds ends with `_pass_one`: one that waits keeps no photo and no picture.
    """

    def __init__(
        self, context: Context, wait_for_room: WaitForRoom, rendered: Rendered, window: int
    ) -> None:
        self._context = context
        self._wait_for_room = wait_for_room
        self._rendered = rendered
        self._window = window
        self._reading = asyncio.Lock()
        self._writing = asyncio.Lock()
        self._read: asyncio.Task[object] | None = None
        self._ended = False
        self._draining = False
        self._in_flight = 0

    async def run(self, idle_timeout_s: float) -> None:
        """Answer every photo."""
        self._idle_timeout_s = idle_timeout_s
        try:
            async with asyncio.timeout(idle_timeout_s) as self._idle, asyncio.TaskGroup() as group:
                for _ in range(self._window):
                    group.create_task(self._work())
        except TimeoutError:
            raise StreamIdleError(
                f"nothing moved on this stream for {idle_timeout_s:g} s",
                figures={"limit": idle_timeout_s},
            ) from None
        except ExceptionGroup as group:
            raise group.exceptions[0] from None
        if self._draining and not self._ended:
            raise DrainingError("the service is about to stop; send again what has no reply")

    def stop_reading(self) -> None:
        """Read no further message, not even the one that is being waited for."""
        self._draining = True
        if self._read:
            self._read.cancel()

    async def _work(self) -> None:
        while await self._pass_one():
            pass

    async def _pass_one(self) -> bool:
        """Lead one photo through; return whether there was one."""
        async with self._reading:
            message = await self._next()
            if message is None:
                return False
            self._in_flight += 1
            self._moved()
            try:
                # Before the next message is read: what waits for room is one photo of each stream.
                deadline = await self._wait_for_room(message)
            except BaseException:
                self._in_flight -= 1
                raise
        answered = False
        try:
            async with self._rendered(message, deadline) as outcome:
                answered = True
                self._in_flight -= 1
                self._moved()
                return await self._write(_reply(message.id, outcome))
        finally:
            if not answered:
                self._in_flight -= 1

    async def _write(self, reply: pb.RenderStreamResponse) -> bool:
        """Send a reply; return whether there is still somebody to take more."""
        try:
            async with self._writing:
                await self._context.write(reply)
        except grpc.aio.InternalError:
            # The caller has gone; gRPC cancels this call as soon as it has found that out.
            self._ended = True
            return False
        self._moved()
        return True

    async def _next(self) -> pb.RenderStreamRequest | None:
        """Read the next message; None if there is none, or none is to be read any more."""
        if self._ended or self._draining:
            return None
        read = self._read = asyncio.ensure_future(self._context.read())
        try:
            await asyncio.wait({read})
        finally:
            self._read = None
            read.cancel()
        if read.cancelled():
            return None
        try:
            message: object = read.result()
        except DecodeError as exc:
            raise InvalidRequestError("a message of the stream cannot be decoded") from exc
        if isinstance(message, pb.RenderStreamRequest):
            return message
        self._ended = True
        return None

    def _moved(self) -> None:
        """Put the end for want of movement off, for as long as a photo is in flight."""
        if not self._idle.expired():
            now_s = asyncio.get_running_loop().time()
            self._idle.reschedule(None if self._in_flight else now_s + self._idle_timeout_s)


def _reply(name: str, outcome: pb.RenderResponse | status_pb2.Status) -> pb.RenderStreamResponse:
    if isinstance(outcome, pb.RenderResponse):
        return pb.RenderStreamResponse(id=name, response=outcome)
    error = pb.Status(code=outcome.code, message=outcome.message, details=outcome.details)
    return pb.RenderStreamResponse(id=name, error=error)
