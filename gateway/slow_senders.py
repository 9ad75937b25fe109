"""A time for requests to arrive in: gRPC's own server waits for a message for ever.

Without a deadline of the caller's, a call that sends half a photo and then nothing would hold that
half, and a stream, for as long as its connection lives.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio
from google.protobuf.message import DecodeError

if TYPE_CHECKING:
    _Handler = grpc.RpcMethodHandler[Any, Any]  # generic to type checkers alone


class ArrivalLimit(grpc.aio.ServerInterceptor):
    """Ends calls whose one request has not arrived in time, or is no such message.

    Args:
        timeout_s: Seconds that a request may take to arrive.
    """

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s

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

        async def read_and_answer(requests: AsyncIterator[Any], context: Any) -> Any:
            return await answer(await self._read(requests, context), context)

        # To a caller one is like the other: a message, then a message.
        return grpc.stream_unary_rpc_method_handler(
            read_and_answer,
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )

    async def _read(
        self, requests: AsyncIterator[Any], context: grpc.aio.ServicerContext[Any, Any]
    ) -> Any:
        code, why = grpc.StatusCode.INVALID_ARGUMENT, "the call must bring one request"
        try:
            async with asyncio.timeout(self._timeout_s):
                # To the end: gRPC keeps a message's bytes until it is asked for the next one.
                received: list[Any] = []
                while len(received) <= 1:
                    try:
                        received.append(await anext(requests))
                    except StopAsyncIteration:
                        break
                if len(received) == 1:
                    return received.pop()
        except TimeoutError:
            code = grpc.StatusCode.DEADLINE_EXCEEDED
            why = f"the request has not arrived within {self._timeout_s:g} s"
        except DecodeError as exc:
            why = f"the request cannot be read: {exc}"
        return await context.abort(code, why)
