"""Receives the requests of all methods: admission is asked first, and time and number are limited.

gRPC's server reads the message of a unary call before it calls the handler, and waits for it
without a limit. Here such calls are declared to gRPC as calls with streams, which look the same on
the wire. So the handler is called first and reads the message itself, or does not. A render that
is refused for want of room costs little, because HTTP/2's flow control keeps its photo with the
caller. A call that sends half a message and then nothing is ended, and does not hold that half and
a stream for as long as its connection lasts.

gRPC has one limit of a message's size for all methods, and receives a message up to that size once
it is asked for one. So memory is limited by the number of messages that are asked for at once: a
few of methods that render, and a few of all others. Of every other message gRPC receives no more
than a stream's window.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

import grpc
import grpc.aio

from gateway.admission import Admission
from gateway.admission.fair_slots import FairSlots, NoSlotError, Slot
from gateway.admission.priority import Priority
from gateway.errors import DeadlineError
from gateway.observability.calls import Calls
from gateway.rpc.call_context import caller_of, deadline_of
from gateway.rpc.replies import Replies
from gateway.rpc.request_limits import Parse, parser
from gateway.rpc.requests.priority import PRIORITY_METADATA, announced_priority
from gateway.rpc.status import fail
from gateway.rpc.transport import SMALL_AT_ONCE
from imaging.errors import InvalidInputError, OverloadedError, ReasonedError

_RENDER: Final = "/packshot.v1.PackshotService/Render"
_RENDER_STREAM: Final = "/packshot.v1.PackshotService/RenderStream"

# A small request comes with its call. So one that is slow may be ended soon if others wait, and
# one that finds no slot may wait for a while.
_SMALL_PROTECTED_S: Final = 0.5
_SMALL_WAIT_S: Final = 5.0
# Long calls of services other than Packshot's, such as watches of the health service.
LASTING_AT_ONCE: Final = 256
_RETRY_S: Final = 1.0

if TYPE_CHECKING:
    _Handler = grpc.RpcMethodHandler[Any, Any]  # generic to type checkers alone

_Context = grpc.aio.ServicerContext[Any, Any]


class AdmissionInterceptor(grpc.aio.ServerInterceptor):
    """Receives the requests of calls.

    Args:
        admission: Knows whether there is room for a render.
        calls: Sees the calls that end here.
        most_renders: Most requests of renders that are received at once, streams not included.
        longest_s: Seconds for a request to arrive in; less if its caller's deadline is sooner.
        replies: Sends replies.
    """

    def __init__(
        self,
        admission: Admission,
        calls: Calls,
        most_renders: int,
        longest_s: float,
        replies: Replies,
    ) -> None:
        self._admission = admission
        self._calls = calls
        self._longest_s = longest_s
        self._replies = replies
        self._renders = FairSlots(most_renders)
        self._small = FairSlots(SMALL_AT_ONCE, _SMALL_PROTECTED_S, _SMALL_WAIT_S)
        self._lasting = FairSlots(LASTING_AT_ONCE)

    @property
    def renders(self) -> int:
        """How many renders' requests are being received."""
        return self._renders.taken

    async def intercept_service(
        self,
        continuation: "Callable[[grpc.HandlerCallDetails], Awaitable[_Handler | None]]",
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "_Handler | None":
        """Have a call's requests received here, not by gRPC; those of a stream are only checked."""
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        method = handler_call_details.method
        parse = parser(method, handler.request_deserializer or bytes)
        if method == _RENDER_STREAM:
            # It has limits of its own, and reads and writes by itself.
            streamed: Any = handler.stream_stream
            return grpc.stream_stream_rpc_method_handler(streamed, parse, None)
        if handler.response_streaming:
            return grpc.stream_stream_rpc_method_handler(self._lasting_call(method, handler, parse))
        if method == _RENDER:
            return grpc.stream_stream_rpc_method_handler(self._render(handler, parse))
        # gRPC sends what these return together with their status, in one step.
        return grpc.stream_unary_rpc_method_handler(self._small_call(method, handler, parse))

    def _render(self, handler: "_Handler", parse: Parse) -> Callable[..., Any]:
        """Return the handler of a render, which sends its reply by itself."""
        answer: Any = handler.unary_unary

        async def received(_requests: object, context: _Context) -> None:
            arrived_s = time.monotonic()
            try:
                request = parse(await self._only_message(_RENDER, context))
            except ReasonedError as error:
                self._refuse(_RENDER, context, error, arrived_s)
                return
            # The photo is not kept here meanwhile.
            rendering = answer(request, context)
            del request
            await rendering

        return received

    def _small_call(self, method: str, handler: "_Handler", parse: Parse) -> Callable[..., Any]:
        """Return the handler of another call with one request and one reply."""
        answer: Any = handler.unary_unary
        serialize: Any = handler.response_serializer

        async def received(_requests: object, context: _Context) -> bytes:
            arrived_s = time.monotonic()
            try:
                request = parse(await self._only_message(method, context))
            except ReasonedError as error:
                self._refuse(method, context, error, arrived_s)
                return b""
            reply = await answer(request, context)
            if context.code() not in (None, grpc.StatusCode.OK):
                return b""
            return self._replies.watched(context, serialize(reply))

        return received

    def _lasting_call(self, method: str, handler: "_Handler", parse: Parse) -> Callable[..., Any]:
        """Return the handler of a call of another service that may be long."""
        several: Any = handler.stream_stream or handler.unary_stream
        serialize: Any = handler.response_serializer

        async def answer(context: _Context) -> None:
            replies: AsyncIterator[Any]
            if handler.request_streaming:
                replies = several(self._messages(context, parse), context)
            else:
                request = parse(await self._only_message(method, context))
                replies = several(request, context)
            async for reply in replies:
                if not await self._replies.send(context, serialize(reply)):
                    return

        async def received(_requests: object, context: _Context) -> None:
            arrived_s, caller = time.monotonic(), caller_of(context).name
            try:
                async with (
                    _given_up(self._lasting, caller, "calls that last") as slot,
                    _within(None, slot),
                ):
                    await answer(context)
            except ReasonedError as error:
                self._refuse(method, context, error, arrived_s)

        return received

    async def _only_message(self, method: str, context: _Context) -> bytes:
        """Receive the one message of a call."""
        is_render = method == _RENDER
        async with self._render_slot(context) if is_render else self._small_slot(context):
            data = await context.read()
            # gRPC keeps a message's bytes until it is asked for the next one.
            more = data is not grpc.aio.EOF and await context.read() is not grpc.aio.EOF
        if more or not isinstance(data, bytes):
            raise InvalidInputError("the call must bring one request")
        return data

    async def _messages(self, context: _Context, parse: Parse) -> AsyncIterator[Any]:
        """Receive the messages of a stream."""
        while True:
            async with self._small_slot(context):
                data = await context.read()
            if not isinstance(data, bytes):
                return
            yield parse(data)

    @asynccontextmanager
    async def _render_slot(self, context: _Context) -> AsyncIterator[None]:
        """Ask admission for a render of which only the metadata have come, and hold a slot."""
        metadata = dict(context.invocation_metadata() or ())
        priority, caller = announced_priority(metadata.get(PRIORITY_METADATA)), caller_of(context)
        # The time that is left when the photo has been received is the time to render it.
        left_s = deadline_of(context, self._longest_s).remaining_s()
        timeout_s = min(left_s, self._longest_s)
        self._admission.check(caller.name, priority, left_s)
        try:
            async with self._renders.slot(caller.name) as slot, _within(timeout_s, slot):
                yield
        except NoSlotError as exc:
            raise self._full(caller.name, priority, exc.taken, self._renders.limit) from exc
        except _GivenUpError:
            held = self._renders.held(caller.name) + 1
            raise self._admission.receiving_full(
                caller.name,
                priority,
                f"the caller sends {held} photos, and others want to",
                {"limit": held - 1, "value": held},
            ) from None

    def _full(self, caller: str, priority: Priority, taken: int, limit: int) -> ReasonedError:
        return self._admission.receiving_full(
            caller,
            priority,
            f"the service receives {taken} photos; the limit is {limit}",
            {"limit": limit, "value": taken},
        )

    @asynccontextmanager
    async def _small_slot(self, context: _Context) -> AsyncIterator[None]:
        async with (
            _given_up(self._small, caller_of(context).name, "small requests") as slot,
            _within(self._timeout_s(context), slot),
        ):
            yield

    def _timeout_s(self, context: _Context) -> float:
        remaining_s = context.time_remaining()
        return self._longest_s if remaining_s is None else min(remaining_s, self._longest_s)

    def _refuse(
        self, method: str, context: _Context, error: ReasonedError, arrived_s: float
    ) -> None:
        metadata, caller = context.invocation_metadata() or (), caller_of(context).name
        name = method.rpartition("/")[2]
        fail(context, self._calls.refuse(name, metadata, error, arrived_s, {"caller": caller}))


class _GivenUpError(Exception):
    """The slot was ended for another caller."""


@asynccontextmanager
async def _within(timeout_s: float | None, slot: Slot) -> AsyncIterator[None]:
    """Run a block in a slot, within a time, until the slot is ended for another caller."""
    try:
        async with asyncio.timeout(timeout_s) as time_limit:
            slot.stop = lambda: None if time_limit.expired() else time_limit.reschedule(0)
            yield
    except TimeoutError as exc:
        if slot.given_up:
            raise _GivenUpError from exc
        if timeout_s is None:
            raise
        raise DeadlineError(f"the request did not arrive within {timeout_s:.3g} s") from exc
    finally:
        slot.stop = _nothing


@asynccontextmanager
async def _given_up(slots: FairSlots, caller: str, what: str) -> AsyncIterator[Slot]:
    """Hold one of the slots that are not for renders."""
    try:
        async with slots.slot(caller) as slot:
            yield slot
    except NoSlotError as exc:
        taken = exc.taken
        message = f"the service has {taken} {what} in hand; the limit is {slots.limit}"
    except _GivenUpError:
        taken = slots.held(caller) + 1
        message = f"the caller has {taken} {what} under way, and others want to"
    else:
        return
    raise OverloadedError(
        message, retry_after_s=_RETRY_S, figures={"limit": slots.limit, "value": taken}
    )


def _nothing() -> None:
    pass
