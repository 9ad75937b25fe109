"""What happens to a render before its photo is received: refused, if there is no room for it."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

import grpc
import grpc.aio
from google.protobuf.message import DecodeError

from gateway.admission import Admission
from gateway.caller import caller_of
from gateway.errors import DeadlineError, GatewayError, InvalidRequestError
from gateway.metrics import GatewayMetrics, Method
from gateway.options.priority import PRIORITY_METADATA, announced_priority
from gateway.status import fail, status_code, to_status
from packshot.v1 import packshot_pb2 as pb

_RENDER: Final = "/packshot.v1.PackshotService/Render"

if TYPE_CHECKING:
    _Handler = grpc.RpcMethodHandler[Any, Any]  # generic to type checkers alone

_Context = grpc.aio.ServicerContext[pb.RenderRequest, pb.RenderResponse]


class Door(grpc.aio.ServerInterceptor):
    """Asks admission about a render while only its headers are there.

    To gRPC's server a unary call is one whose message it reads first and whose handler it calls
    then. Here `Render` is declared to it as a call with a stream of requests, which is the same on
    the wire, so that the handler comes first and reads the message itself, or does not. What is
    refused costs next to nothing: HTTP/2's flow control keeps its photo with the caller.

    Args:
        admission: Knows whether there is room.
        metrics: Where what is refused here is counted.
        default_timeout_s: Seconds for a request whose caller set no deadline.
    """

    def __init__(
        self, admission: Admission, metrics: GatewayMetrics, default_timeout_s: float
    ) -> None:
        self._admission = admission
        self._metrics = metrics
        self._default_timeout_s = default_timeout_s

    async def intercept_service(
        self,
        continuation: "Callable[[grpc.HandlerCallDetails], Awaitable[_Handler | None]]",
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "_Handler | None":
        """Put the question before `Render`; everything else goes its way."""
        handler = await continuation(handler_call_details)
        if handler is None or handler_call_details.method != _RENDER:
            return handler
        render: Any = handler.unary_unary

        async def received(
            _requests: AsyncIterator[pb.RenderRequest], context: _Context
        ) -> pb.RenderResponse:
            start_s = time.monotonic()
            try:
                request = await self._receive(context)
            except GatewayError as error:
                fail(context, to_status(error))
                self._metrics.answered(Method.RENDER, status_code(error), start_s)
                return pb.RenderResponse()
            answer: pb.RenderResponse = await render(request, context)
            return answer

        return grpc.stream_unary_rpc_method_handler(
            received, handler.request_deserializer, handler.response_serializer
        )

    async def _receive(self, context: _Context) -> pb.RenderRequest:
        remaining_s = context.time_remaining()
        timeout_s = self._default_timeout_s if remaining_s is None else remaining_s
        metadata = dict(context.invocation_metadata() or ())
        priority = announced_priority(metadata.get(PRIORITY_METADATA))
        self._admission.check(caller_of(context).name, priority, timeout_s)
        with self._admission.receiving(priority):
            try:
                async with asyncio.timeout(timeout_s):
                    request: object = await context.read()
                    # gRPC keeps a message's bytes until it is asked for the next one.
                    more = isinstance(await context.read(), pb.RenderRequest)
            except TimeoutError as exc:
                raise DeadlineError(f"the photo did not arrive within {timeout_s:.3g} s") from exc
            except DecodeError as exc:
                raise InvalidRequestError(f"the request cannot be read: {exc}") from exc
        if more or not isinstance(request, pb.RenderRequest):
            raise InvalidRequestError("the call must bring one request")
        return request
