"""How a model comes to see a photo: once it is decoded, or while it is being decoded."""

import time
from typing import NamedTuple

from gateway.errors import DecodingUnavailableError
from gateway.inference.client import InferenceClient
from gateway.inference.server import Matte, MattingModel
from gateway.observability.labels import Stage
from gateway.observability.tracing import Tracing
from gateway.rendering.decoding.inputs import Inputs
from gateway.rendering.render_call import RenderCall
from gateway.rendering.render_options import RenderOptions
from gateway.rendering.steps import Steps, timed
from gateway.rendering.timings import StageTime
from imaging.errors import InvalidPhotoError, PhotoLimitError
from imaging.matting.marked import to_marked_input
from imaging.matting.marks import Marks
from imaging.types import Photo, Pixels


class Seen(NamedTuple):
    """A photo as a model saw it, (1, h, w, 3) uint8, and the matte that it made of it."""

    model_input: Pixels
    matte: Matte


class Seeing:
    """Shows photos to models.

    Args:
        inference: Where the networks run.
        steps: Runs the arithmetic of the other steps.
        tracing: Makes the span in which Triton continues a trace.
    """

    def __init__(self, inference: InferenceClient, steps: Steps, tracing: Tracing) -> None:
        self._inference = inference
        self._steps = steps
        self._tracing = tracing

    async def see(self, call: RenderCall, model: MattingModel, photo: Photo, marks: Marks) -> Seen:
        """Show a decoded photo to a model; errors are those of `Steps.run` and of inference."""
        model_input = await self._steps.step(
            call,
            Stage.PREPARE,
            to_marked_input,
            photo,
            marks,
            model.input_width_px,
            model.input_height_px,
        )
        return Seen(model_input, await self._infer(call, model, model_input))

    async def see_early(
        self, call: RenderCall, model: MattingModel | None, opened: Inputs, options: RenderOptions
    ) -> Seen | None:
        """Show a preview of a large photo to a model; errors are those of `see`.

        Returns:
            What it saw, or None where it is to see the decoded photo: without a model, with marks,
            which change what it sees, and where there is no preview.
        """
        if model is None or options.marked_by:
            return None
        width_px, height_px = model.input_width_px, model.input_height_px
        if not opened.is_previewed(width_px, height_px):
            return None
        try:
            model_input, start_ns, duration_s = await self._steps.run(
                call, timed, opened.model_input, width_px, height_px
            )
        except (InvalidPhotoError, PhotoLimitError, DecodingUnavailableError):
            return None  # the decoding of the whole has the last word on the photo
        if model_input is None:
            return None
        call.timings.append(StageTime(Stage.PREPARE, duration_s, start_ns))
        return Seen(model_input, await self._infer(call, model, model_input))

    async def _infer(self, call: RenderCall, model: MattingModel, model_input: Pixels) -> Matte:
        start_s = time.monotonic()
        with self._steps.passing(call), self._tracing.asking(call.span, Stage.INFER):
            matte = await self._inference.infer(
                model, model_input, call.deadline.remaining_s(), call.priority
            )
        call.timings.append(StageTime(Stage.INFER, time.monotonic() - start_s))
        return matte
