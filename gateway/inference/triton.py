"""The inference server: NVIDIA Triton over its KServe v2 gRPC interface."""

import asyncio
import time
from collections.abc import Awaitable
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from tritonclient.grpc import InferInput, InferRequestedOutput
from tritonclient.grpc.aio import InferenceServerClient
from tritonclient.utils import InferenceServerException

from gateway.admission.priority import Priority
from gateway.errors import (
    DeadlineError,
    InferenceFailedError,
    InferenceUnavailableError,
    ModelNotFoundError,
)
from gateway.inference.channel import CHANNEL_OPTIONS, channel_target
from gateway.inference.model_card import CARD_PARAMETER, read_card
from gateway.inference.server import Matte, MattingModel, Pulse, ServerState
from gateway.inference.states import TritonStates
from gateway.observability.tracing import trace_headers
from imaging.errors import OverloadedError, ReasonedError
from imaging.types import Pixels

T = TypeVar("T")

# How long a model's description is used before Triton is asked again.
_DESCRIPTION_AGE_S = 5.0

_INDEX_TIMEOUT_S = 1.0

# How Triton's Python backend answers, with status INTERNAL, once a model's process has died.
_DEAD_MODEL_PROCESS = "is not healthy"
# How Triton's queue answers, with status UNAVAILABLE, by the model's queue policy.
_QUEUE_FULL = "Exceeds maximum queue size"
_QUEUE_TIMEOUT = "Request timeout expired"
_QUEUE_RETRY_S = 1.0


class TritonInferenceServer:
    """Matting models in a Triton; implements `gateway.inference.server.InferenceServer`.

    A matting model takes `photo`, uint8 [N, H, W, 3], and gives `matte`, uint8 [N, H, W, 1].

    Args:
        addresses: Triton's gRPC address, or several; `gateway.inference.channel` says how.
    """

    def __init__(self, addresses: str) -> None:
        self._client = InferenceServerClient(
            channel_target(addresses), channel_args=CHANNEL_OPTIONS
        )
        self._states = TritonStates(addresses)
        self._described: dict[str, tuple[float, MattingModel]] = {}
        self._listed_s: dict[str, float] = {}

    async def model(self, name: str, timeout_s: float) -> MattingModel:
        """Look a ready model up; its description is remembered for a few seconds."""
        described_s, model = self._described.get(name, (-float("inf"), None))
        if model is not None and time.monotonic() - described_s < _DESCRIPTION_AGE_S:
            return model
        description = await self._ask(
            name, self._client.get_model_metadata(name, client_timeout=timeout_s)
        )
        model = _read_description(description)
        if model is None:
            raise ModelNotFoundError(f"{name!r} is not a matting model", field="model")
        self._described[name] = (time.monotonic(), model)
        return model

    async def models(self, timeout_s: float) -> list[MattingModel]:
        """List the matting models; Triton does not describe those that are not ready."""
        index = await self._index(timeout_s)
        names = sorted({entry.name for entry in index.models})
        ready = {entry.name for entry in index.models if entry.state == "READY"}
        return [
            model
            for model in await asyncio.gather(
                *(self._describe(name, timeout_s, ready=name in ready) for name in names)
            )
            if model is not None
        ]

    async def infer(
        self,
        model: MattingModel,
        photo: Pixels,
        timeout_s: float,
        priority: Priority = Priority.INTERACTIVE,
    ) -> Matte:
        """Run the network on one photo."""
        tensor = InferInput("photo", list(photo.shape), "UINT8")
        tensor.set_data_from_numpy(photo)
        result = await self._ask(
            model.name,
            self._client.infer(
                model.name,
                [tensor],
                outputs=[InferRequestedOutput("matte")],
                priority=int(priority),
                # Microseconds in the queue: a request that waits for longer is never run.
                timeout=max(1, int(timeout_s * 1e6)),
                # At its end gRPC cancels the call, and the request leaves Triton's queue.
                client_timeout=timeout_s,
                headers=trace_headers(),
            ),
        )
        matte = result.as_numpy("matte")
        expected = (1, model.input_height_px, model.input_width_px, 1)
        if matte is None or matte.shape != expected or matte.dtype != np.uint8:
            self._described.pop(model.name, None)
            raise InferenceFailedError(f"model {model.name!r} did not answer with a matte")
        return Matte(alpha=matte[0, :, :, 0], model_version=result.get_response().model_version)

    async def pulse(self, model: str, timeout_s: float) -> Pulse | None:
        """Ask for a sign of life."""
        return await self._states.pulse(model, timeout_s)

    @property
    def addresses(self) -> tuple[str, ...]:
        """The address of each Triton."""
        return self._states.addresses

    async def states(self, timeout_s: float) -> list[ServerState]:
        """Ask each Triton for its state."""
        return await self._states.states(timeout_s)

    async def close(self) -> None:
        """Close the channels."""
        await self._client.close()
        await self._states.close()

    async def _describe(self, name: str, timeout_s: float, *, ready: bool) -> MattingModel | None:
        if not ready:
            return MattingModel(name)
        try:
            model = await self.model(name, timeout_s)
        except ModelNotFoundError:
            return None
        answer = await self._ask(
            name, self._client.get_model_config(name, client_timeout=timeout_s)
        )
        text = answer.config.parameters[CARD_PARAMETER].string_value
        return replace(model, card=read_card(name, text))

    async def _ask(self, model: str, call: Awaitable[T]) -> T:
        """Await a call to Triton, about one model or "", and translate what goes wrong."""
        try:
            return await call
        except InferenceServerException as exc:
            self._described.pop(model, None)
            error = _translate(model, exc)
            # A model that is being loaded again is unknown for a while; the caller made no mistake.
            unknown = isinstance(error, ModelNotFoundError)
            if model and unknown and await self._in_repository(model):
                error = InferenceUnavailableError(f"model {model!r} is not loaded")
            raise error from exc

    async def _in_repository(self, model: str) -> bool:
        # With two Tritons, asking each time would take the turn of the sound one, and each further
        # attempt would go to the one that lacks the model.
        if time.monotonic() - self._listed_s.get(model, -float("inf")) < _DESCRIPTION_AGE_S:
            return True
        index = await self._index(_INDEX_TIMEOUT_S)
        listed = model in {entry.name for entry in index.models}
        if listed:
            self._listed_s[model] = time.monotonic()
        return listed

    async def _index(self, timeout_s: float) -> Any:
        return await self._ask(
            "", self._client.get_model_repository_index(client_timeout=timeout_s)
        )


def _translate(model: str, exc: InferenceServerException) -> ReasonedError:
    """Return the gateway's error for Triton's; Triton's text may show internals, ours does not."""
    match (exc.status() or "").removeprefix("StatusCode."):
        case "NOT_FOUND":
            return ModelNotFoundError(f"there is no model {model!r}", field="model")
        case "DEADLINE_EXCEEDED":
            return DeadlineError("the inference server did not answer in time")
        case "UNAVAILABLE":
            return _translate_unavailable(model, exc.message() or "")
        case "INTERNAL" if _DEAD_MODEL_PROCESS in (exc.message() or ""):
            return InferenceUnavailableError("the model's process has died")
        case _:
            return InferenceFailedError("the inference server failed on this request")


def _translate_unavailable(model: str, message: str) -> ReasonedError:
    if _QUEUE_FULL in message:
        return OverloadedError(
            f"the queue of model {model!r} is full",
            retry_after_s=_QUEUE_RETRY_S,
            figures={"bound": "queue"},
        )
    if _QUEUE_TIMEOUT in message:
        return DeadlineError(f"the time was up in the queue of model {model!r}")
    return InferenceUnavailableError("the inference server or the model is away")


def _read_description(description: Any) -> MattingModel | None:
    """Return the matting model that a ModelMetadataResponse describes, None for another kind."""
    inputs = {tensor.name: tensor for tensor in description.inputs}
    outputs = {tensor.name: tensor for tensor in description.outputs}
    if set(inputs) != {"photo"} or "matte" not in outputs or not description.versions:
        return None
    photo, matte = inputs["photo"], outputs["matte"]
    height, width = photo.shape[1:3] if len(photo.shape) == len("NHWC") else (0, 0)
    if (
        (photo.datatype, matte.datatype) != ("UINT8", "UINT8")
        or list(photo.shape[3:]) != [3]
        or min(height, width) < 1
        or list(matte.shape[1:]) != [height, width, 1]
    ):
        return None
    return MattingModel(
        name=description.name,
        version=max(description.versions, key=int),
        input_width_px=width,
        input_height_px=height,
    )
