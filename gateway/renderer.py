"""One photo's way from bytes to bytes: the steps in order, each timed, none on the event loop."""

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import ParamSpec, TypeVar

from gateway.decoding.decoder import Decoder
from gateway.decoding.inputs import Inputs
from gateway.errors import DeadlineError, InvalidRequestError
from gateway.inference import InferenceServer, Matte, MattingModel
from gateway.pipeline.arrays import Box, Photo, Pixels, Sides
from gateway.pipeline.backgrounds.file import BackgroundFile
from gateway.pipeline.charge import charged_pixels, sure_picture_pixels
from gateway.pipeline.compose import compose
from gateway.pipeline.cost import Work, check_cost
from gateway.pipeline.encode import PictureFormat, encode_picture
from gateway.pipeline.frame import Frame
from gateway.pipeline.limits import PhotoLimits
from gateway.pipeline.look import Background, Content, Look, Staging
from gateway.pipeline.prepare import to_model_input
from gateway.pipeline.refine import cut_out
from gateway.presets.preset import Preset
from gateway.priority import Priority
from gateway.telemetry.calls import Calls, current_call
from gateway.telemetry.catalogue import Stage
from gateway.verdict import Verdict, judge
from gateway.workers import PriorityWorkers

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RenderOptions:
    """What shall become of a photo.

    Attributes:
        model: The model to cut with.
        background: What stands behind the product; a file is decoded on the way.
        frame: The frame for the product; None keeps the photo's.
        staging: How the product sits before its background.
        content: What the file shows.
        cleans: Whether islands and pinholes of the cut are cleaned.
        picture_format: The file to answer with.
        quality: Of JPEG, WebP and AVIF, 1 to 100.
        resolution_dpi: What the file says its resolution is, pixels per inch.
        keep_metadata: Whether the photo's EXIF data go into the file.
        preset: The rules to judge the file by; None for no verdict.
        priority: Who goes first wherever there is a queue.
    """

    model: str
    background: Background | BackgroundFile
    frame: Frame | None
    staging: Staging
    content: Content
    cleans: bool
    picture_format: PictureFormat
    quality: int
    resolution_dpi: int
    keep_metadata: bool
    preset: Preset | None
    priority: Priority


@dataclass(frozen=True, slots=True)
class Packshot:
    """The finished picture and how it came about.

    Attributes:
        picture: The file.
        picture_format: Its format.
        width_px: Its width.
        height_px: Its height.
        product: The product's box in it.
        magnification: Factor from the photo's pixels to the picture's.
        cut_off: The sides of the photo that cut the product off.
        confidence: How sure the model is of its cut, 0 to 1.
        model: The model that made the cut.
        model_version: That model's version.
        photo_pixels: Pixels of the photo.
        stages_s: Seconds that each stage took.
        total_s: Seconds from beginning to end, waiting included.
        notes: What could not be followed, a sentence each.
        verdict: Whether the file complies with its preset; None without one.
    """

    picture: bytes
    picture_format: PictureFormat
    width_px: int
    height_px: int
    product: Box
    magnification: float
    cut_off: Sides
    confidence: float
    model: str
    model_version: str
    photo_pixels: int
    stages_s: dict[Stage, float]
    total_s: float
    notes: tuple[str, ...]
    verdict: Verdict | None


@dataclass(slots=True)
class _Clock:
    """One render's urgency, its deadline and the time it has waited for worker threads."""

    priority: Priority
    timeout_s: float
    start_s: float = field(default_factory=time.monotonic)
    queued_s: float = 0.0
    cancelled: bool = False

    def check(self) -> None:
        """Raise `DeadlineError` if nobody waits any more; from any thread."""
        if self.cancelled:
            raise DeadlineError("the render was cancelled")
        self.remaining_s()

    def elapsed_s(self) -> float:
        return time.monotonic() - self.start_s

    def remaining_s(self) -> float:
        """Return the seconds left, or raise `DeadlineError` if there are none."""
        remaining_s = self.timeout_s - self.elapsed_s()
        if remaining_s <= 0:
            raise DeadlineError(f"the time for this photo, {self.timeout_s:.3g} s, is up")
        return remaining_s


class Renderer:
    """Renders photos.

    Args:
        inference: Where the networks run.
        workers: Where the arithmetic of the other steps runs.
        decoder: Decodes the pictures that callers send.
        limits: What a photo may be.
        calls: Sees the stages.
        max_core_s: The most processor time that a render may take by its estimate.
    """

    def __init__(
        self,
        inference: InferenceServer,
        workers: PriorityWorkers,
        decoder: Decoder,
        limits: PhotoLimits,
        calls: Calls,
        max_core_s: float,
    ) -> None:
        self._inference = inference
        self._workers = workers
        self._decoder = decoder
        self._limits = limits
        self._calls = calls
        self._max_core_s = max_core_s

    async def render(
        self,
        photo_file: bytes,
        options: RenderOptions,
        timeout_s: float,
        charge: Callable[[int], None],
    ) -> Packshot:
        """Lead one photo through all steps.

        Args:
            photo_file: The photo's file.
            options: What shall become of it.
            timeout_s: Seconds until its caller stops waiting.
            charge: Takes the room for its pixels, or raises, before any of them is decoded.

        Returns:
            The packshot.

        Raises:
            GatewayError: Whatever stopped it; `gateway.errors` draws the tree.
        """
        clock = _Clock(options.priority, timeout_s)
        try:
            return await self._render(clock, photo_file, options, charge)
        finally:
            # It is not one span of time, but many that add up.
            self._calls.stage(Stage.QUEUE, clock.queued_s)

    async def _render(
        self,
        clock: _Clock,
        photo_file: bytes,
        options: RenderOptions,
        charge: Callable[[int], None],
    ) -> Packshot:
        model = await self._inference.model(options.model, clock.remaining_s())
        photo, background, work = await self._decode(clock, photo_file, options, charge)
        model_input = await self._step(
            clock, Stage.PREPARE, to_model_input, photo, model.input_width_px, model.input_height_px
        )
        matte = await self._infer(clock, model, model_input)
        cut = await self._step(
            clock,
            Stage.REFINE,
            cut_out,
            matte.alpha,
            model_input[0],
            photo,
            cleans=options.cleans,
        )
        look = Look(
            background,
            options.frame,
            options.staging,
            options.content,
            clears_border=options.cleans,
        )

        def admit(picture_px: int) -> None:
            check_cost(replace(work, picture_px=picture_px), self._max_core_s)

        composition = await self._step(
            clock, Stage.COMPOSE, compose, cut, photo, look, clock.check, admit
        )
        picture = await self._step(
            clock,
            Stage.ENCODE,
            encode_picture,
            composition.pixels,
            options.picture_format,
            options.quality,
            resolution_dpi=options.resolution_dpi,
            metadata=photo.metadata,
            check=clock.check,
        )
        verdict = None
        if options.preset:
            verdict = await self._step(
                clock,
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
            model=model.name,
            model_version=matte.model_version,
            photo_pixels=photo.rgb.shape[0] * photo.rgb.shape[1],
            stages_s=current_call().stages_s,
            total_s=clock.elapsed_s(),
            notes=photo.notes + composition.notes,
            verdict=verdict,
        )

    async def _decode(
        self,
        clock: _Clock,
        photo_file: bytes,
        options: RenderOptions,
        charge: Callable[[int], None],
    ) -> tuple[Photo, Background, Work]:
        """Open the pictures, take the room that their headers ask for, and decode them."""
        try:
            opened, start_ns, opening_s = await self._run(
                clock, _timed, Inputs, self._decoder, photo_file, options.background, self._limits
            )
        except InvalidRequestError:
            charge(0)  # it was let in, and takes no room
            raise
        with opened:
            sizes_px = opened.photo_px, opened.background_px
            work = _work(options, *sizes_px)
            check_cost(work, self._max_core_s)
            charge(charged_pixels(*sizes_px, options.frame, options.picture_format))
            decoded, _, decoding_s = await self._run(
                clock, _timed, opened.decode, keep_metadata=options.keep_metadata
            )
        self._calls.stage(Stage.DECODE, opening_s + decoding_s, start_ns)
        return *decoded, work

    async def _infer(self, clock: _Clock, model: MattingModel, model_input: Pixels) -> Matte:
        with self._calls.asking(Stage.INFER):
            return await self._inference.infer(
                model, model_input, clock.remaining_s(), clock.priority
            )

    async def _step(
        self,
        clock: _Clock,
        stage: Stage,
        step: Callable[P, T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run one step and time it."""
        result, start_ns, duration_s = await self._run(clock, lambda: _timed(step, *args, **kwargs))
        self._calls.stage(stage, duration_s, start_ns)
        return result

    async def _run(
        self, clock: _Clock, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run work on a worker thread, unless the time is up; this is where threads begin."""
        submitted_s = time.monotonic()

        def in_time() -> T:
            clock.queued_s += time.monotonic() - submitted_s
            clock.remaining_s()
            return work(*args, **kwargs)

        future = self._workers.submit(clock.priority, in_time)
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            # What has begun looks every now and then, and what it holds must stay counted until it
            # has ended. If it fails, nobody is left to be told.
            clock.cancelled = True
            if not future.cancelled():
                await asyncio.gather(asyncio.wrap_future(future), return_exceptions=True)
            raise
        finally:
            # An exception's traceback holds this frame, and the future the exception.
            del future


def _work(
    options: RenderOptions, photo_px: tuple[int, int], background_px: tuple[int, int]
) -> Work:
    return Work(
        math.prod(photo_px),
        math.prod(background_px),
        sure_picture_pixels(photo_px, options.frame),
        options.background,
        options.staging,
        options.content,
        options.picture_format,
        options.quality,
        is_judged=options.preset is not None,
    )


def _timed(step: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> tuple[T, int, float]:
    """Run a step; return its result, its beginning as `time.time_ns` tells, and its seconds."""
    start_ns, start_s = time.time_ns(), time.monotonic()
    return step(*args, **kwargs), start_ns, time.monotonic() - start_s
