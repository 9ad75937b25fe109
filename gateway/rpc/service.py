"""The gRPC service: one method for each RPC."""

from typing import Any

import grpc.aio

from gateway.accounts.holds import CreditHolds
from gateway.inference.client import InferenceClient
from gateway.observability.labels import Method
from gateway.rendering.render_call import RenderCall
from gateway.rpc.call_context import caller_of, deadline_of
from gateway.rpc.calls import CallRunner
from gateway.rpc.render import RenderHandler
from gateway.rpc.replies import Replies
from gateway.rpc.requests.reader import OptionReader
from gateway.rpc.responses import account_response, model_message, preset_message
from gateway.rpc.streams import PhotoStreams
from packshot.v1 import packshot_pb2 as pb
from packshot.v1.packshot_pb2_grpc import PackshotServiceServicer


class PackshotService(PackshotServiceServicer):
    """Answers `packshot.v1.PackshotService`.

    `Render` and `RenderStream` send their replies themselves: what a photo holds of the service is
    given back when its reply has left. `gateway.rpc.admission_interceptor` sends the others.

    Args:
        calls: Runs the calls.
        renders: Answers requests for renders.
        streams: Serves streams of photos.
        inference: Knows the models.
        options: Knows the presets.
        holds: Knows the accounts.
        replies: Sends replies.
        default_timeout_s: Seconds for a request whose caller set no deadline.
    """

    def __init__(
        self,
        calls: CallRunner,
        renders: RenderHandler,
        streams: PhotoStreams,
        inference: InferenceClient,
        options: OptionReader,
        holds: CreditHolds,
        replies: Replies,
        default_timeout_s: float,
    ) -> None:
        self._calls = calls
        self._renders = renders
        self._streams = streams
        self._inference = inference
        self._options = options
        self._holds = holds
        self._replies = replies
        self._default_timeout_s = default_timeout_s

    async def Render(  # type: ignore[override]  # noqa: N802  it sends its reply itself
        self, request: pb.RenderRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> None:
        """Render one photo."""
        deadline = deadline_of(context, self._default_timeout_s)
        with RenderCall(caller_of(context), deadline) as call:
            data = None
            with self._calls.run(Method.RENDER, context) as seen:
                data = (await self._renders.render(request, call, seen)).SerializeToString()
            del request  # the photo is not kept while the reply waits for its caller
            if data is not None:
                await self._replies.send(context, data, call.reservation)

    async def RenderStream(  # type: ignore[override]  # noqa: N802  it reads and writes by itself
        self,
        request_iterator: object,  # noqa: ARG002  the context reads as well, and at its own time
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> None:
        """Render many photos."""
        with self._calls.run(Method.RENDER_STREAM, context):
            await self._streams.serve(context, caller_of(context))

    async def GetAccount(  # noqa: N802  the proto names it
        self,
        request: pb.GetAccountRequest,  # noqa: ARG002  the call's metadata say whose
        context: grpc.aio.ServicerContext[pb.GetAccountRequest, pb.GetAccountResponse],
    ) -> pb.GetAccountResponse:
        """Tell the state of the caller's account."""
        response = pb.GetAccountResponse()
        with self._calls.run(Method.GET_ACCOUNT, context):
            account = await self._holds.account(caller_of(context))
            response.CopyFrom(account_response(account))
        return response

    async def ListModels(  # noqa: N802  the proto names it
        self,
        request: pb.ListModelsRequest,  # noqa: ARG002  it has no options
        context: grpc.aio.ServicerContext[pb.ListModelsRequest, pb.ListModelsResponse],
    ) -> pb.ListModelsResponse:
        """List the models."""
        response = pb.ListModelsResponse()
        with self._calls.run(Method.LIST_MODELS, context):
            deadline = deadline_of(context, self._default_timeout_s)
            for model in await self._inference.models(deadline.remaining_s()):
                is_default = model.name == self._options.default_model
                response.models.append(model_message(model, is_default=is_default))
        return response

    async def ListPresets(  # noqa: N802  the proto names it
        self,
        request: pb.ListPresetsRequest,  # noqa: ARG002  it has no options
        context: grpc.aio.ServicerContext[pb.ListPresetsRequest, pb.ListPresetsResponse],
    ) -> pb.ListPresetsResponse:
        """List the presets."""
        with self._calls.run(Method.LIST_PRESETS, context):
            presets = sorted(self._options.presets.values(), key=lambda preset: preset.name)
        return pb.ListPresetsResponse(presets=map(preset_message, presets))
