"""Streams of photos: many over one call, at most a window of them in work at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeAlias

import grpc.aio

from gateway.admission.caller import Caller
from gateway.admission.fair_slots import FairSlots, NoSlotError
from gateway.errors import DrainingError, StreamIdleError
from gateway.observability.labels import Method
from gateway.rendering.deadline import Deadline
from gateway.rendering.render_call import RenderCall
from gateway.rpc.calls import CallRunner
from gateway.rpc.render import RenderHandler
from gateway.rpc.replies import Replies
from imaging.errors import OverloadedError, ReasonedError
from packshot.v1 import packshot_pb2 as pb

# The time for a stream that gives way to another to send the replies that it has. The other one
# waits for longer.
_GIVING_WAY_S = 3.0
# When a caller may come back to a service with too many open streams.
_REFUSED_RETRY_S = 1.0
_LIMIT_KEY = "packshot-max-message-bytes"

Context: TypeAlias = grpc.aio.ServicerContext[Any, Any]


class PhotoStreams:
    """The open streams.

    Args:
        calls: Runs each photo as a call.
        renders: Answers requests for renders.
        replies: Sends replies.
        window: Most photos of one stream that are in work at once, those included whose reply has
            not left yet.
        max_streams: Most streams open at once.
        first_timeout_s: Seconds until a stream is ended whose first photo has not come.
        idle_timeout_s: Seconds without a photo, a result or a reply taken until a stream is ended.
        photo_timeout_s: Seconds for a photo, within the deadline of its stream.
        max_message_bytes: The largest message, which callers are told.
    """

    def __init__(
        self,
        calls: CallRunner,
        renders: RenderHandler,
        replies: Replies,
        *,
        window: int,
        max_streams: int,
        first_timeout_s: float,
        idle_timeout_s: float,
        photo_timeout_s: float,
        max_message_bytes: int,
    ) -> None:
        self.calls = calls
        self.renders = renders
        self.replies = replies
        self.window = window
        self.photo_timeout_s = photo_timeout_s
        self.first_timeout_s = first_timeout_s
        self.idle_timeout_s = idle_timeout_s
        self._slots = FairSlots(max_streams)
        self._metadata = ((_LIMIT_KEY, str(max_message_bytes)),)
        self._open: set[_Stream] = set()
        self._draining = False

    @property
    def open(self) -> int:
        """How many are open."""
        return len(self._open)

    async def serve(self, context: Context, caller: Caller) -> None:
        """Answer the photos of one stream until its caller has sent the last one.

        Args:
            context: The call.
            caller: Who makes it.

        Raises:
            DrainingError: The gateway stops; every photo that was read has its reply.
            InvalidRequestError: A message is none of this interface, or over a limit.
            OverloadedError: As many streams as may be are open, or this one gives way to another
                caller's.
            StreamIdleError: Nothing moved for too long.
        """
        stream = _Stream(self, context, caller)
        async with self._opened(stream, caller.name):
            # The metadata tell the caller that the stream is not refused. They tell the limit too,
            # because a message over it would end the stream.
            with suppress(grpc.aio.InternalError):  # the caller has gone, which `run` finds too
                await context.send_initial_metadata(self._metadata)
            await stream.run()

    def drain(self) -> None:
        """Read no further message of any stream; each ends once its photos are answered."""
        self._draining = True
        for stream in self._open:
            stream.stop_reading(
                DrainingError("the service is about to stop; send again what has no reply")
            )

    @asynccontextmanager
    async def _opened(self, stream: "_Stream", caller: str) -> AsyncIterator[None]:
        if self._draining:
            raise DrainingError("the service is about to stop")
        try:
            async with self._slots.slot(caller) as slot:
                slot.stop = lambda: stream.give_way(self._gives_way(caller))
                slot.busy = lambda: stream.busy
                self._open.add(stream)
                try:
                    yield
                finally:
                    self._open.discard(stream)
        except NoSlotError as exc:
            limit = self._slots.limit
            raise OverloadedError(
                f"{exc.taken} streams are open; the limit is {limit}",
                retry_after_s=_REFUSED_RETRY_S,
                figures={"limit": limit, "value": exc.taken},
            ) from exc

    def _gives_way(self, caller: str) -> ReasonedError:
        held = self._slots.held(caller)
        return OverloadedError(
            f"the caller has {held} streams open, and others want one; "
            "send again what has no reply",
            retry_after_s=_REFUSED_RETRY_S,
            figures={"limit": self._slots.limit, "value": held},
        )


class _Stream:
    """One stream: it has one worker for each photo of its window.

    A worker reads a photo, renders it, sends the reply and only then reads again. So HTTP/2's flow
    control stops a sender that is too fast and a receiver that is too slow. A worker that waits for
    a photo holds no other photo and no picture, because all of that ends with `_pass_one`.
    """

    def __init__(self, streams: PhotoStreams, context: Context, caller: Caller) -> None:
        self._streams = streams
        self._context = context
        self._caller = caller
        self._reading = asyncio.Lock()
        self._writing = asyncio.Lock()
        self._read: asyncio.Task[object] | None = None
        self._ended = False
        self._stopped: ReasonedError | None = None
        self._in_flight = 0
        self._any_came = False
        self._gives_way = False

    @property
    def busy(self) -> bool:
        """Whether there are photos that have been read and not answered."""
        return self._in_flight > 0

    async def run(self) -> None:
        """Answer every photo."""
        first_timeout_s = self._streams.first_timeout_s
        try:
            async with asyncio.timeout(first_timeout_s) as self._idle, asyncio.TaskGroup() as group:
                for _ in range(self._streams.window):
                    group.create_task(self._work())
        except TimeoutError:
            if self._stopped and self._gives_way:
                raise self._stopped from None
            what, limit_s = "nothing moved on this stream for", self._streams.idle_timeout_s
            if not self._any_came:
                what, limit_s = "no photo came on this stream within", first_timeout_s
            raise StreamIdleError(f"{what} {limit_s:g} s", figures={"limit": limit_s}) from None
        except ExceptionGroup as group:
            raise group.exceptions[0] from None
        if self._stopped and not self._ended:
            raise self._stopped

    def stop_reading(self, reason: ReasonedError) -> None:
        """Read no further message, and stop waiting for the next one.

        Args:
            reason: The error that the stream ends with, once its photos are answered.
        """
        self._stopped = self._stopped or reason
        if self._read:
            self._read.cancel()

    def give_way(self, reason: ReasonedError) -> None:
        """Stop reading, and end soon even if the caller does not receive its replies.

        Args:
            reason: The error that the stream ends with.
        """
        self._gives_way = True
        self.stop_reading(reason)
        self._moved()

    async def _work(self) -> None:
        while await self._pass_one():
            pass

    async def _pass_one(self) -> bool:
        """Read one photo and answer it; return whether there was one and more may come."""
        async with self._reading:
            message = await self._next()
            if message is None:
                return False
            self._in_flight += 1
            self._any_came = True
            self._moved()
            try:
                # The lock is held meanwhile, so that one photo of each stream waits for room.
                deadline = self._photo_deadline()
                await self._streams.renders.wait_for_room(message, self._caller, deadline)
            except BaseException:
                self._in_flight -= 1
                raise
        with RenderCall(self._caller, deadline) as call:
            try:
                data = await self._reply_to(message, call)
            finally:
                self._in_flight -= 1
            del message  # the photo is not kept while the reply waits for its caller
            self._moved()
            return await self._send(data, call)

    async def _reply_to(self, message: pb.RenderStreamRequest, call: RenderCall) -> bytes:
        """Render a photo; return its reply as it is sent."""
        response, error = None, None
        with self._streams.calls.run_photo(Method.STREAM_PHOTO, self._context) as seen:
            response = await self._streams.renders.render_streamed(message, call, seen)
        if status := seen.status:
            error = pb.Status(code=status.code, message=status.message, details=status.details)
        reply = pb.RenderStreamResponse(id=message.id, response=response, error=error)
        return reply.SerializeToString()

    async def _send(self, data: bytes, call: RenderCall) -> bool:
        """Send a reply; return whether there is still somebody to receive more."""
        async with self._writing:
            sent = await self._streams.replies.send(self._context, data, call.reservation)
        if sent:
            self._moved()
        else:
            self._ended = True
        return sent

    def _photo_deadline(self) -> Deadline:
        """Return the deadline of a photo that has just been read, within the stream's own."""
        remaining_s = self._context.time_remaining()
        deadline = Deadline.after(self._streams.photo_timeout_s)
        return deadline if remaining_s is None else deadline.sooner(remaining_s)

    async def _next(self) -> pb.RenderStreamRequest | None:
        """Read the next message; None if there is none, or if the stream reads no more."""
        if self._ended or self._stopped:
            return None
        read = self._read = asyncio.ensure_future(self._context.read())
        try:
            await asyncio.wait({read})
        finally:
            self._read = None
            read.cancel()
        if read.cancelled():
            return None
        message: object = read.result()
        if isinstance(message, pb.RenderStreamRequest):
            return message
        self._ended = True
        return None

    def _moved(self) -> None:
        """Start the idle time anew; it does not run while a photo is in flight."""
        if not self._idle.expired():
            now_s = asyncio.get_running_loop().time()
            timeout_s = _GIVING_WAY_S if self._gives_way else self._streams.idle_timeout_s
            self._idle.reschedule(None if self._in_flight else now_s + timeout_s)
