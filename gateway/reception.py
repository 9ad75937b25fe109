"""How the one message of a unary call is received: asked about first, and within a time.

To gRPC's server a unary call is one whose message it reads first, for ever if need be, and whose
handler it calls then. Here such calls are declared to it as calls with a stream of requests, which
is the same on the wire, so that the handler comes first and reads the message itself, or does not.
A render that there is no room for costs next to nothing: HTTP/2's flow control keeps its photo with
the caller. And a call that sends half a message and then nothing does not hold that half, and a
stream, for as long as its connection lives.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Final

import grpc
import grpc.aio
from google.protobuf.message import DecodeError, Message

from gateway.admission import Admission
from gateway.caller import caller_of
from gateway.errors import DeadlineError, GatewayError, InvalidRequestError
from gateway.options.priority import PRIORITY_METADATA, announced_priority
from gateway.render_call import deadline_of
from gateway.status import fail
from gateway.telemetry.calls import Calls

_RENDER: Final = "/packshot.v1.PackshotService/Render"

if TYPE_CHECKING:
    _Handler = grpc.RpcMethodHandler[Any, Any]  # generic to type checkers alone

_Context = grpc.aio.ServicerContext[Any, Any]


class Reception(grpc.aio.ServerInterceptor):
    """Receives the requests of unary calls.

    Args:
        admission: Knows whether there is room for a render.
        calls: Sees the calls that end here.
        default_timeout_s: Seconds for a request to arrive in; a render's caller may set others by
            its deadline.
    """

    def __init__(self, admission: Admission, calls: Calls, default_timeout_s: float) -> None:
        self._admission = admission
        self._calls = calls
        self._default_timeout_s = default_timeout_s

    async def intercept_service(
        self,
        continuation: "Callable[[grpc.HandlerCallDetails], Awaitable[_Handler | None]]",
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "_Handler | None":
        """Have the request of a unary call read here instead of by gRPC."""
        handler = await continuation(handler_call_details)
        if handler is None or handler.request_streaming or handler.response_streaming:
            return handler
        answer: Any = handler.unary_unary
        method = handler_call_details.method

        async def received(_requests: AsyncIterator[Any], context: _Context) -> Any:
            arrived_s = time.monotonic()
            try:
                request = await self._receive(context, is_render=method == _RENDER)
            except GatewayError as error:
                metadata = context.invocation_metadata() or ()
                name = method.rpartition("/")[2]
                caller = {"caller": caller_of(context).name}
                fail(context, self._calls.refuse(name, metadata, error, arrived_s, caller))
                return None  # gRPC sends no message beside an error
            return await answer(request, context)

        return grpc.stream_unary_rpc_method_handler(
            received, handler.request_deserializer, handler.response_serializer
        )

    async def _receive(self, context: _Context, *, is_render: bool) -> Any:
        timeout_s = self._default_timeout_s
        if is_render:
            # What is left of it when the photo is there is the time to render it in.
            timeout_s = deadline_of(context, timeout_s).remaining_s()
        with self._room(context, timeout_s) if is_render else nullcontext():
            try:
                async with asyncio.timeout(timeout_s):
                    request: object = await context.read()
                    # gRPC keeps a message's bytes until it is asked for the next one.
                    more = isinstance(await context.read(), Message)
            except TimeoutError as exc:
                raise DeadlineError(f"the request did not arrive within {timeout_s:.3g} s") from exc
            except DecodeError as exc:
                raise InvalidRequestError(f"the request cannot be read: {exc}") from exc
        if more or not isinstance(request, Message):
            raise InvalidRequestError("the call must bring one request")
        return request

    def _room(self, context: _Context, timeout_s: float) -> AbstractContextManager[None]:
        """Ask for room for a render of which only the headers are there."""
        metadata = dict(context.invocation_metadata() or ())
        priority = announced_priority(metadata.get(PRIORITY_METADATA))
        self._admission.check(caller_of(context).name, priority, timeout_s)
        return self._admission.receiving(priority)
