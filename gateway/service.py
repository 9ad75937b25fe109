"""The gRPC service: requests in, answers out, every error as a status."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import ExitStack, asynccontextmanager, suppress
from typing import Any, TypeAlias, TypeVar, cast

import grpc
import grpc.aio
from google.rpc import status_pb2

from gateway.accounts.charges import Charges
from gateway.admission import Admission
from gateway.caller import Caller, caller_of
from gateway.errors import (
    GatewayError,
    InferenceUnavailableError,
    InvalidOptionError,
    OverloadedError,
)
from gateway.inference import InferenceServer
from gateway.metrics import GatewayMetrics, Method
from gateway.options.priority import read_priority
from gateway.options.reader import OptionReader
from gateway.renderer import Renderer
from gateway.replies import account_response, model_message, preset_message, render_response
from gateway.status import fail, internal_status, status_code, to_status
from gateway.streams import Context, PhotoStreams
from packshot.v1 import packshot_pb2 as pb
from packshot.v1.packshot_pb2_grpc import PackshotServiceServicer

T = TypeVar("T")

# Takes what is to be done when a photo's reply has left.
AtEnd: TypeAlias = Callable[[Callable[[], None]], object]

_MAX_ID_LENGTH = 128

# A caller's clock began before ours: it gives a call up so much ahead of the deadline here.
_LATE_S = 0.1

log = logging.getLogger(__name__)


class PackshotService(PackshotServiceServicer):
    """Answers `packshot.v1.PackshotService`.

    Args:
        renderer: Renders photos.
        inference: Knows the models.
        options: Reads requests.
        admission: Bounds what is inside at once.
        streams: Leads the photos of streams through.
        charges: Charges for renders.
        metrics: Counts and times.
        default_timeout_s: Seconds for a request whose caller set no deadline.
        on_unavailable: Called when a request has found the inference server or a model away.
    """

    def __init__(
        self,
        renderer: Renderer,
        inference: InferenceServer,
        options: OptionReader,
        admission: Admission,
        streams: PhotoStreams,
        charges: Charges,
        metrics: GatewayMetrics,
        default_timeout_s: float,
        on_unavailable: Callable[[], None],
    ) -> None:
        self._renderer = renderer
        self._inference = inference
        self._options = options
        self._admission = admission
        self._streams = streams
        self._charges = charges
        self._metrics = metrics
        self._default_timeout_s = default_timeout_s
        self._on_unavailable = on_unavailable

    async def Render(  # noqa: N802  the proto names it
        self,
        request: pb.RenderRequest,
        context: grpc.aio.ServicerContext[pb.RenderRequest, pb.RenderResponse],
    ) -> pb.RenderResponse:
        """Render one photo."""
        # gRPC ends the context when the reply has left, however slowly it is taken.
        work = self._render(
            request,
            caller_of(context),
            self._timeout_s(context),
            lambda release: cast("Any", context).add_done_callback(lambda _context: release()),
        )
        return await self._answer(Method.RENDER, context, work, pb.RenderResponse)

    async def RenderStream(  # type: ignore[override]  # noqa: N802  it reads and writes by itself
        self,
        request_iterator: object,  # noqa: ARG002  the context reads as well, and at its own time
        context: Context,
    ) -> None:
        """Render many photos."""
        caller = caller_of(context)

        async def wait_for_room(message: pb.RenderStreamRequest) -> None:
            # What cannot be waited for, the photo itself is answered with.
            with suppress(GatewayError, TimeoutError):
                priority = read_priority(message.request.priority)
                await self._admission.room(caller.name, priority, self._photo_timeout_s(context))

        @asynccontextmanager
        async def rendered(
            message: pb.RenderStreamRequest,
        ) -> AsyncIterator[pb.RenderResponse | status_pb2.Status]:
            with ExitStack() as held:
                timeout_s = self._photo_timeout_s(context)
                work = self._render_streamed(message, caller, timeout_s, held.callback)
                yield await self._outcome(Method.STREAM_PHOTO, context, work)

        work = self._streams.serve(context, wait_for_room, rendered)
        await self._answer(Method.RENDER_STREAM, context, work, lambda: None)

    async def GetAccount(  # noqa: N802  the proto names it
        self,
        request: pb.GetAccountRequest,  # noqa: ARG002  the call's metadata say whose
        context: grpc.aio.ServicerContext[pb.GetAccountRequest, pb.GetAccountResponse],
    ) -> pb.GetAccountResponse:
        """Tell the state of the caller's account."""
        work = self._get_account(caller_of(context))
        return await self._answer(Method.GET_ACCOUNT, context, work, pb.GetAccountResponse)

    async def ListModels(  # noqa: N802  the proto names it
        self,
        request: pb.ListModelsRequest,  # noqa: ARG002  it has no options
        context: grpc.aio.ServicerContext[pb.ListModelsRequest, pb.ListModelsResponse],
    ) -> pb.ListModelsResponse:
        """List the models."""
        work = self._list_models(self._timeout_s(context))
        return await self._answer(Method.LIST_MODELS, context, work, pb.ListModelsResponse)

    async def ListPresets(  # noqa: N802  the proto names it
        self,
        request: pb.ListPresetsRequest,  # noqa: ARG002  it has no options
        context: grpc.aio.ServicerContext[pb.ListPresetsRequest, pb.ListPresetsResponse],
    ) -> pb.ListPresetsResponse:
        """List the presets."""
        return await self._answer(
            Method.LIST_PRESETS, context, self._list_presets(), pb.ListPresetsResponse
        )

    async def _render(
        self, request: pb.RenderRequest, caller: Caller, timeout_s: float, at_end: AtEnd
    ) -> pb.RenderResponse:
        """Render one photo; its place is held until `at_end`, when its reply has left."""
        priority = read_priority(request.priority)
        place = self._admission.admit(caller.name, priority, request.ByteSize(), timeout_s)
        at_end(place.release)
        options = self._options.read(request)

        def take_room(pixels: int) -> None:
            place.charge_pixels(pixels)
            # Once for each photo: one of a stream that had to wait comes by again.
            self._metrics.photo(len(request.photo))

        async with self._charges.charge(caller):
            packshot = await self._renderer.render(request.photo, options, timeout_s, take_room)
            response = render_response(packshot)
        self._metrics.picture(len(packshot.picture))
        for note in packshot.notes:
            log.warning("%s: %s", Method.RENDER, note)
        place.rendered(len(packshot.picture))
        return response

    async def _render_streamed(
        self, message: pb.RenderStreamRequest, caller: Caller, timeout_s: float, at_end: AtEnd
    ) -> pb.RenderResponse:
        """Render one photo of a stream, which waits for room where a lone photo is refused."""
        if len(message.id) > _MAX_ID_LENGTH:
            raise InvalidOptionError(
                f"id has {len(message.id)} characters; the limit is {_MAX_ID_LENGTH}",
                field="id",
                figures={"limit": _MAX_ID_LENGTH, "value": len(message.id)},
            )
        give_up_s = time.monotonic() + timeout_s
        while True:
            left_s = give_up_s - time.monotonic()
            with ExitStack() as attempt:
                try:
                    response = await self._render(message.request, caller, left_s, attempt.callback)
                except OverloadedError as error:
                    if left_s <= error.retry_after_s:
                        raise
                else:
                    at_end(attempt.pop_all().close)
                    return response
            await self._admission.change()

    async def _get_account(self, caller: Caller) -> pb.GetAccountResponse:
        return account_response(await self._charges.account(caller))

    async def _list_models(self, timeout_s: float) -> pb.ListModelsResponse:
        models = await self._inference.models(timeout_s)
        return pb.ListModelsResponse(
            models=[
                model_message(model, is_default=model.name == self._options.default_model)
                for model in models
            ]
        )

    async def _list_presets(self) -> pb.ListPresetsResponse:
        presets = sorted(self._options.presets.values(), key=lambda preset: preset.name)
        return pb.ListPresetsResponse(presets=map(preset_message, presets))

    def _timeout_s(self, context: grpc.aio.ServicerContext[Any, Any]) -> float:
        remaining_s = context.time_remaining()
        return self._default_timeout_s if remaining_s is None else remaining_s

    def _photo_timeout_s(self, context: Context) -> float:
        """Return the time for one photo of a stream."""
        return min(self._timeout_s(context), self._default_timeout_s)

    async def _answer(
        self,
        method: Method,
        context: grpc.aio.ServicerContext[Any, Any],
        work: Coroutine[Any, Any, T],
        nothing: Callable[[], T],
    ) -> T:
        """Do a call's work and give the call its status.

        `context.abort` would do the last, but gRPC keeps the exception that it raises in a cycle
        with its traceback, and so with the photo, until the garbage collector comes by.
        """
        outcome = await self._outcome(method, context, work)
        if isinstance(outcome, status_pb2.Status):
            fail(context, outcome)
            return nothing()
        return outcome

    async def _outcome(
        self,
        method: Method,
        context: grpc.aio.ServicerContext[Any, Any],
        work: Coroutine[Any, Any, T],
    ) -> T | status_pb2.Status:
        """Do some work; count, time and log it, and turn what goes wrong into its status."""
        start_s = time.monotonic()
        code = grpc.StatusCode.OK
        try:
            with self._metrics.in_flight(method):
                return await work
        except asyncio.CancelledError:
            remaining_s = context.time_remaining()
            late = remaining_s is not None and remaining_s < _LATE_S
            code = grpc.StatusCode.DEADLINE_EXCEEDED if late else grpc.StatusCode.CANCELLED
            raise
        except GatewayError as error:
            code = status_code(error)
            if isinstance(error, InferenceUnavailableError):
                self._on_unavailable()
            if code is grpc.StatusCode.INTERNAL:
                log.exception("%s failed", method)
            return to_status(error)
        except Exception:
            code = grpc.StatusCode.INTERNAL
            log.exception("%s failed", method)
            return internal_status()
        finally:
            self._metrics.answered(method, code, start_s)
            log.info("%s %s %.0f ms", method, code.name, (time.monotonic() - start_s) * 1000)
