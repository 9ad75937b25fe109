"""The gRPC service: requests in, answers out."""

from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager

import grpc.aio
from google.rpc import status_pb2

from gateway.accounts.charges import Charges
from gateway.admission.caller import Caller, caller_of
from gateway.inference.client import InferenceClient
from gateway.observability.labels import Method
from gateway.rendering.render_call import Deadline, deadline_of
from gateway.rpc.calls import CallRunner
from gateway.rpc.outbox import Outbox
from gateway.rpc.render import Rendering
from gateway.rpc.requests.reader import OptionReader
from gateway.rpc.responses import account_response, model_message, preset_message
from gateway.rpc.streams import Context, PhotoStreams
from packshot.v1 import packshot_pb2 as pb
from packshot.v1.packshot_pb2_grpc import PackshotServiceServicer


class PackshotService(PackshotServiceServicer):
    """Answers `packshot.v1.PackshotService`.

    Args:
        answers: Turns work into answers.
        rendering: Renders photos.
        streams: Leads the photos of streams through.
        inference: Knows the models.
        options: Knows the presets.
        charges: Knows the accounts.
        outbox: Watches over replies.
        default_timeout_s: Seconds for a request whose caller set no deadline.
    """

    def __init__(
        self,
        answers: CallRunner,
        rendering: Rendering,
        streams: PhotoStreams,
        inference: InferenceClient,
        options: OptionReader,
        charges: Charges,
        outbox: Outbox,
        default_timeout_s: float,
    ) -> None:
        self._answers = answers
        self._rendering = rendering
        self._streams = streams
        self._inference = inference
        self._options = options
        self._charges = charges
        self._outbox = outbox
        self._default_timeout_s = default_timeout_s

    async def Render(  # noqa: N802  the proto names it
        self,
        request: pb.RenderRequest,
        context: grpc.aio.ServicerContext[pb.RenderRequest, pb.RenderResponse],
    ) -> pb.RenderResponse:
        """Render one photo."""
        work = self._rendering.render(
            request,
            caller_of(context),
            deadline_of(context, self._default_timeout_s),
            lambda release: self._outbox.release_when_sent(context, release),
        )
        return await self._answers.answer(Method.RENDER, context, work, pb.RenderResponse)

    async def RenderStream(  # type: ignore[override]  # noqa: N802  it reads and writes by itself
        self,
        request_iterator: object,  # noqa: ARG002  the context reads as well, and at its own time
        context: Context,
    ) -> None:
        """Render many photos."""
        caller = caller_of(context)

        async def wait_for_room(message: pb.RenderStreamRequest) -> Deadline:
            deadline = self._photo_deadline(context)
            await self._rendering.wait_for_room(message, caller, deadline)
            return deadline

        @asynccontextmanager
        async def rendered(
            message: pb.RenderStreamRequest, deadline: Deadline
        ) -> AsyncIterator[pb.RenderResponse | status_pb2.Status]:
            with ExitStack() as held:
                work = self._rendering.render_streamed(message, caller, deadline, held.callback)
                yield await self._answers.outcome(Method.STREAM_PHOTO, context, work)

        work = self._streams.serve(context, caller.name, wait_for_room, rendered)
        await self._answers.answer(Method.RENDER_STREAM, context, work, lambda: None)

    async def GetAccount(  # noqa: N802  the proto names it
        self,
        request: pb.GetAccountRequest,  # noqa: ARG002  the call's metadata say whose
        context: grpc.aio.ServicerContext[pb.GetAccountRequest, pb.GetAccountResponse],
    ) -> pb.GetAccountResponse:
        """Tell the state of the caller's account."""
        work = self._get_account(caller_of(context))
        return await self._answers.answer(Method.GET_ACCOUNT, context, work, pb.GetAccountResponse)

    async def ListModels(  # noqa: N802  the proto names it
        self,
        request: pb.ListModelsRequest,  # noqa: ARG002  it has no options
        context: grpc.aio.ServicerContext[pb.ListModelsRequest, pb.ListModelsResponse],
    ) -> pb.ListModelsResponse:
        """List the models."""
        work = self._list_models(deadline_of(context, self._default_timeout_s))
        return await self._answers.answer(Method.LIST_MODELS, context, work, pb.ListModelsResponse)

    async def ListPresets(  # noqa: N802  the proto names it
        self,
        request: pb.ListPresetsRequest,  # noqa: ARG002  it has no options
        context: grpc.aio.ServicerContext[pb.ListPresetsRequest, pb.ListPresetsResponse],
    ) -> pb.ListPresetsResponse:
        """List the presets."""
        return await self._answers.answer(
            Method.LIST_PRESETS, context, self._list_presets(), pb.ListPresetsResponse
        )

    async def _get_account(self, caller: Caller) -> pb.GetAccountResponse:
        return account_response(await self._charges.account(caller))

    async def _list_models(self, deadline: Deadline) -> pb.ListModelsResponse:
        models = await self._inference.models(deadline.remaining_s())
        return pb.ListModelsResponse(
            models=[
                model_message(model, is_default=model.name == self._options.default_model)
                for model in models
            ]
        )

    async def _list_presets(self) -> pb.ListPresetsResponse:
        presets = sorted(self._options.presets.values(), key=lambda preset: preset.name)
        return pb.ListPresetsResponse(presets=map(preset_message, presets))

    def _photo_deadline(self, context: Context) -> Deadline:
        """Make the deadline of a stream's photo: the default time, within the stream's own."""
        remaining_s = context.time_remaining()
        deadline = Deadline.after(self._default_timeout_s)
        return deadline if remaining_s is None else deadline.sooner(remaining_s)
