"""The gRPC service: requests in, answers out, every error as a status."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import grpc
import grpc.aio

from gateway.admission import Admission
from gateway.caller import caller_of
from gateway.errors import GatewayError, InferenceUnavailableError
from gateway.inference import InferenceServer
from gateway.metrics import GatewayMetrics, Method
from gateway.options.priority import read_priority
from gateway.options.reader import OptionReader
from gateway.renderer import Renderer
from gateway.replies import model_message, preset_message, render_response
from gateway.status import fail_call, internal_status, status_code, to_status
from packshot.v1 import packshot_pb2 as pb
from packshot.v1.packshot_pb2_grpc import PackshotServiceServicer

T = TypeVar("T")

log = logging.getLogger(__name__)


class PackshotService(PackshotServiceServicer):
    """Answers `packshot.v1.PackshotService`.

    Args:
        renderer: Renders photos.
        inference: Knows the models.
        options: Reads requests.
        admission: Bounds what is inside at once.
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
        metrics: GatewayMetrics,
        default_timeout_s: float,
        on_unavailable: Callable[[], None],
    ) -> None:
        self._renderer = renderer
        self._inference = inference
        self._options = options
        self._admission = admission
        self._metrics = metrics
        self._default_timeout_s = default_timeout_s
        self._on_unavailable = on_unavailable

    async def Render(  # noqa: N802  the proto names it
        self,
        request: pb.RenderRequest,
        context: grpc.aio.ServicerContext[pb.RenderRequest, pb.RenderResponse],
    ) -> pb.RenderResponse:
        """Render one photo."""
        work = self._render(request, context)
        return await self._answer(Method.RENDER, context, work, pb.RenderResponse)

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
        self,
        request: pb.RenderRequest,
        context: grpc.aio.ServicerContext[pb.RenderRequest, pb.RenderResponse],
    ) -> pb.RenderResponse:
        timeout_s, priority = self._timeout_s(context), read_priority(request.priority)
        place = self._admission.admit(caller_of(context), priority, request.ByteSize(), timeout_s)
        # The place is held until the reply has left, however slowly it is taken.
        context.add_done_callback(lambda _context: place.release())
        photo = request.photo
        self._metrics.photo(len(photo))
        options = self._options.read(request)
        packshot = await self._renderer.render(photo, options, timeout_s, place.charge_pixels)
        self._metrics.picture(len(packshot.picture))
        for note in packshot.notes:
            log.warning("%s: %s", Method.RENDER, note)
        place.rendered(len(packshot.picture))
        return render_response(packshot)

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

    async def _answer(
        self,
        method: Method,
        context: grpc.aio.ServicerContext[Any, Any],
        work: Coroutine[Any, Any, T],
        nothing: Callable[[], T],
    ) -> T:
        """Do a call's work; count, time and log it, and turn what goes wrong into its status.

        `context.abort` would do the last, but gRPC keeps the exception that it raises in a cycle
        with its traceback, and so with the photo, until the garbage collector comes by.
        """
        start_s = time.monotonic()
        code = grpc.StatusCode.OK
        try:
            with self._metrics.in_flight(method):
                return await work
        except asyncio.CancelledError:
            late = (context.time_remaining() or 1) <= 0
            code = grpc.StatusCode.DEADLINE_EXCEEDED if late else grpc.StatusCode.CANCELLED
            raise
        except GatewayError as error:
            code = status_code(error)
            if isinstance(error, InferenceUnavailableError):
                self._on_unavailable()
            if code is grpc.StatusCode.INTERNAL:
                log.exception("%s failed", method)
            fail_call(context, to_status(error))
        except Exception:
            code = grpc.StatusCode.INTERNAL
            log.exception("%s failed", method)
            fail_call(context, internal_status())
        finally:
            self._metrics.answered(method, code, start_s)
            log.info("%s %s %.0f ms", method, code.name, (time.monotonic() - start_s) * 1000)
        return nothing()
