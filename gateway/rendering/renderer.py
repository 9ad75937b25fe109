"""One render: the steps in order, from the photo's file to the finished one."""

import asyncio
import math
import time
from dataclasses import replace
from typing import Final

from gateway.inference.client import InferenceClient
from gateway.inference.server import MattingModel
from gateway.observability.labels import Stage
from gateway.observability.metrics import Metrics
from gateway.observability.tracing import Tracing
from gateway.rendering.beside import beside
from gateway.rendering.cost import cost_of, work_of
from gateway.rendering.decoding.inputs import Inputs
from gateway.rendering.packshot import Packshot
from gateway.rendering.render_call import RenderCall
from gateway.rendering.render_options import RenderOptions
from gateway.rendering.seeing import Seeing, Seen
from gateway.rendering.steps import Steps, timed
from gateway.rendering.timings import StageTime
from imaging.compose.compose import compose
from imaging.compose.composition import Background, Content, Look
from imaging.cost import Work, check_cost
from imaging.decode.decoder import Decoder
from imaging.decode.limits import PhotoLimits
from imaging.decode.pixels_held import charged_pixels, sure_picture_pixels
from imaging.errors import InvalidPhotoError, PhotoLimitError
from imaging.layers import encode_alone, encode_layers
from imaging.matting.marked import cut_out_marked, own_marked_cut
from imaging.matting.marks import Masks, marks_of
from imaging.matting.own_cut import CutChoice, keeps_own
from imaging.presets.verdict import judge
from imaging.types import Photo

_KEEPS_ALREADY: Final = "the keep mask added nothing: the cut is the photo's own transparency"


class Renderer:
    """Renders photos.

    Args:
        inference: Where the networks run.
        steps: Runs the arithmetic of the other steps.
        decoder: Decodes the pictures that callers send.
        limits: What a photo may be.
        max_core_s: The most processor time that a render may take by its estimate, s.
        metrics: Counts the photos that come in.
        tracing: Makes the span in which Triton continues a trace.
    """

    def __init__(
        self,
        inference: InferenceClient,
        steps: Steps,
        decoder: Decoder,
        limits: PhotoLimits,
        max_core_s: float,
        metrics: Metrics,
        tracing: Tracing,
    ) -> None:
        self._inference = inference
        self._steps = steps
        self._decoder = decoder
        self._limits = limits
        self._max_core_s = max_core_s
        self._metrics = metrics
        self._seeing = Seeing(inference, steps, tracing)

    async def render(self, photo_file: bytes, options: RenderOptions, call: RenderCall) -> Packshot:
        """Take one photo through all steps.

        Args:
            photo_file: The photo's file.
            options: What shall become of it.
            call: Who waits for it and until when. The room for the pixels is reserved in its
                reservation before any of them is decoded. The times of the stages are added to its
                timings, also of a render that fails.

        Returns:
            The packshot.

        Raises:
            ReasonedError: Whatever stopped it; `imaging.errors` and `gateway.errors` draw the tree.
        """
        start_s = time.monotonic()
        try:
            with self._steps.render(call):
                return await self._render(call, start_s, photo_file, options)
        except (InvalidPhotoError, PhotoLimitError):
            self._count_photo(call)
            raise
        finally:
            # It is not one span of time, but many that add up.
            call.timings.append(StageTime(Stage.QUEUE, call.queued_s))

    async def _render(
        self,
        call: RenderCall,
        start_s: float,
        photo_file: bytes,
        options: RenderOptions,
    ) -> Packshot:
        model = None
        if options.cut is not CutChoice.KEEP:
            model = await self._inference.model(options.model, call.deadline.remaining_s())
        (photo, background, masks), work, seen = await self._decode(
            call, photo_file, options, model
        )
        keeps = keeps_own(photo, options.cut)
        notes = photo.notes
        if keeps and masks.keep is not None:
            notes += (_KEEPS_ALREADY,)
        # The masks go before the picture is painted, as `imaging.decode.pixels_held` counts on.
        marks = await self._steps.run(
            call, marks_of, photo.width_px, photo.height_px, options.region, masks
        )
        del masks
        if keeps or model is None:
            cut, made_by, version = (
                await self._steps.step(call, Stage.REFINE, own_marked_cut, photo, marks),
                "",
                "",
            )
        else:
            seen = seen or await self._seeing.see(call, model, photo, marks)
            cut = await self._steps.step(
                call,
                Stage.REFINE,
                cut_out_marked,
                seen.matte.alpha,
                seen.model_input[0],
                photo,
                marks,
                cleans=options.cleans,
            )
            made_by, version = model.name, seen.matte.model_version
        del marks
        look = Look(
            background,
            options.frame,
            options.staging,
            options.content,
            clears_border=options.cleans and not keeps,
        )

        def admit(picture_px: int) -> None:
            check_cost(replace(work, picture_px=picture_px), self._max_core_s)

        composition = await self._steps.step(
            call, Stage.COMPOSE, compose, cut, photo, look, call.check, admit
        )
        picture, matte = await self._steps.step(
            call,
            Stage.ENCODE,
            encode_layers if options.content is Content.LAYERS else encode_alone,
            composition.pixels,
            options.picture_format,
            options.quality,
            resolution_dpi=options.resolution_dpi,
            metadata=photo.metadata,
            check=call.check,
        )
        verdict = None
        if options.preset:
            verdict = await self._steps.step(
                call,
                Stage.VERIFY,
                judge,
                options.preset,
                picture,
                options.picture_format,
                composition.product,
                composition.magnification,
                composition.cut_off,
            )
        height_px, width_px = composition.pixels.shape[:2]
        return Packshot(
            picture=picture,
            picture_format=options.picture_format,
            width_px=width_px,
            height_px=height_px,
            product=composition.product,
            magnification=composition.magnification,
            cut_off=composition.cut_off,
            confidence=cut.confidence,
            keeps_own_cut=keeps,
            model=made_by,
            model_version=version,
            photo_pixels=photo.rgb.shape[0] * photo.rgb.shape[1],
            stages_s={
                **{each.stage: each.duration_s for each in call.timings},
                Stage.QUEUE: call.queued_s,
            },
            total_s=time.monotonic() - start_s,
            notes=notes + composition.notes,
            verdict=verdict,
            matte=matte,
        )

    async def _decode(
        self,
        call: RenderCall,
        photo_file: bytes,
        options: RenderOptions,
        model: MattingModel | None,
    ) -> tuple[tuple[Photo, Background, Masks], Work, Seen | None]:
        """Open the pictures, reserve the room that their headers ask for, and decode them.

        Returns:
            The pictures, what the render is asked to do, and what the model made of the photo
            meanwhile, if it saw it.
        """
        opened, start_ns, opening_s = await self._steps.run(
            call,
            timed,
            Inputs,
            self._decoder,
            photo_file,
            options.background,
            options.masks,
            self._limits,
        )
        with opened:
            sizes_px = opened.photo_px, opened.background_px
            picture_px = sure_picture_pixels(opened.photo_px, options.frame)
            work = work_of(
                options,
                math.prod(opened.photo_px),
                math.prod(opened.background_px),
                picture_px,
                opened.masks_px,
            )
            check_cost(work, self._max_core_s)
            pixels = charged_pixels(
                *sizes_px,
                options.frame,
                options.picture_format,
                opened.masks_px,
                layers=options.content is Content.LAYERS,
                is_marked=work.is_marked,
            )
            pass_s = self._inference.answers.pass_s(options.model)
            cost_s = cost_of(work, pass_s)
            call.threads_s = cost_s - pass_s
            call.held.reserve_pixels(pixels, cost_s)
            self._count_photo(call)
            # A file whose decoding fails is refused for that, whatever the model made of it.
            async with beside(self._seeing.see_early(call, model, opened, options)) as seeing:
                await asyncio.sleep(0)  # the smaller step comes first
                decoded, _, decoding_s = await self._steps.run(
                    call, timed, opened.decode, keep_metadata=options.keep_metadata
                )
                call.timings.append(StageTime(Stage.DECODE, opening_s + decoding_s, start_ns))
                seen = await seeing
        return decoded, work, seen

    def _count_photo(self, call: RenderCall) -> None:
        """Count a photo whose header has been read; one of a stream may be tried several times."""
        if not call.photo_counted:
            call.photo_counted = True
            self._metrics.photo_bytes.inc(call.photo_bytes)
