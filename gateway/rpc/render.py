"""One render from its request to its reply: let in, read, charged for, rendered, accounted for."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial
from typing import Final, TypeAlias

from gateway.accounts.charges import Charges, Repeatable
from gateway.admission import Admission
from gateway.admission.caller import Caller
from gateway.inference.answer_times import AnswerTimes
from gateway.observability import catalogue
from gateway.observability.calls import Call, current_call
from gateway.observability.metrics import Metrics
from gateway.rendering.cost import cost_by_bytes_s, cost_of
from gateway.rendering.packshot import Packshot
from gateway.rendering.render_call import Deadline, RenderCall
from gateway.rendering.renderer import Renderer
from gateway.rendering.steps import Steps
from gateway.rpc.requests.idempotency import read_idempotency_key, request_digest
from gateway.rpc.requests.priority import read_priority
from gateway.rpc.requests.reader import OptionReader
from gateway.rpc.responses import render_response
from imaging.cost import Work
from imaging.errors import (
    InvalidOptionError,
    InvalidPhotoError,
    OverloadedError,
    PhotoLimitError,
    ReasonedError,
)
from packshot.v1 import packshot_pb2 as pb

log = logging.getLogger(__name__)

# Takes what is to be done when a photo's reply has left.
AtEnd: TypeAlias = Callable[[Callable[[], None]], object]

_MAX_ID_LENGTH: Final = 128


class Rendering:
    """Answers requests for renders.

    Args:
        renderer: Renders photos.
        steps: Runs what else takes processor time.
        options: Reads requests.
        admission: Bounds what is inside at once.
        charges: Charges for renders.
        metrics: Counts what comes in and goes out.
        answers: Knows how long a pass of each model takes.
    """

    def __init__(
        self,
        renderer: Renderer,
        steps: Steps,
        options: OptionReader,
        admission: Admission,
        charges: Charges,
        metrics: Metrics,
        answers: AnswerTimes,
    ) -> None:
        self._renderer = renderer
        self._steps = steps
        self._options = options
        self._admission = admission
        self._charges = charges
        self._metrics = metrics
        self._answers = answers

    async def render(
        self, request: pb.RenderRequest, caller: Caller, deadline: Deadline, at_end: AtEnd
    ) -> pb.RenderResponse:
        """Render one photo; its place is held until `at_end`, when its reply has left.

        Raises:
            ReasonedError: Whatever stopped it.
        """
        priority = read_priority(request.priority)
        seen = current_call()
        seen.priority = priority.label
        # Each reading of the field is a copy of the photo.
        photo_bytes = len(request.photo)
        seen.facts |= {"caller": caller.name, "photo_bytes": photo_bytes}
        call = RenderCall(caller, priority, deadline)
        options = self._options.read(request)
        if options.marked_by:
            seen.facts["marked_by"] = "+".join(options.marked_by)
        key = read_idempotency_key(request)
        repeatable = Repeatable(key, partial(self._digest, request, call)) if key else None
        pass_s = self._answers.pass_s(options.model)
        cost_s = cost_by_bytes_s(options, photo_bytes, self._options.max_pixels, pass_s)
        call.threads_s = cost_s - pass_s
        place = self._admission.admit(
            caller.name,
            priority,
            request.ByteSize(),
            deadline.left_s,
            cost_s,
        )
        at_end(place.release)

        def count_photo() -> None:
            # Once for each photo: one of a stream that had to wait for room comes by again.
            if not seen.photo_counted:
                seen.photo_counted = True
                self._metrics.count(catalogue.PHOTO_BYTES, amount=photo_bytes)

        def take_room(pixels: int, work: Work) -> None:
            cost_s = cost_of(work, pass_s)
            call.threads_s = cost_s - pass_s
            place.charge_pixels(pixels, cost_s)
            count_photo()

        # The one deadline covers the credit's hold and its settling as well, and the wait for an
        # earlier render of the same request.
        try:
            async with (
                deadline.enforced(),
                self._charges.charge(caller, repeatable, deadline.remaining_s()),
            ):
                packshot = await self._renderer.render(request.photo, options, call, take_room)
                response = render_response(packshot)
        except (InvalidPhotoError, PhotoLimitError):
            count_photo()
            raise
        except asyncio.CancelledError:
            if call.begun:
                place.given_up()
            raise
        self._note(packshot, seen)
        place.rendered(len(packshot.picture))
        return response

    async def render_streamed(
        self, message: pb.RenderStreamRequest, caller: Caller, deadline: Deadline, at_end: AtEnd
    ) -> pb.RenderResponse:
        """Render one photo of a stream, which waits for room where a lone photo is refused."""
        if len(message.id) > _MAX_ID_LENGTH:
            raise InvalidOptionError(
                f"id has {len(message.id)} characters; the limit is {_MAX_ID_LENGTH}",
                field="id",
                figures={"limit": _MAX_ID_LENGTH, "value": len(message.id)},
            )
        while True:
            deadline.remaining_s()
            with ExitStack() as attempt:
                try:
                    response = await self.render(
                        message.request, caller, deadline, attempt.callback
                    )
                except OverloadedError as error:
                    if deadline.left_s <= error.retry_after_s:
                        raise
                else:
                    at_end(attempt.pop_all().close)
                    return response
            await self._admission.change()

    async def wait_for_room(
        self, message: pb.RenderStreamRequest, caller: Caller, deadline: Deadline
    ) -> None:
        """Wait until a photo of a stream would be let in, as far as can be told before it is.

        What cannot be waited for, the photo itself is answered with.
        """
        with suppress(ReasonedError, TimeoutError):
            priority = read_priority(message.request.priority)
            await self._admission.room(caller.name, priority, deadline.left_s)

    async def _digest(self, request: pb.RenderRequest, call: RenderCall) -> bytes:
        digest = await self._steps.run(call, request_digest, request)
        # Whoever gives up while an earlier render of the same request goes on has begun nothing.
        call.begun = False
        return digest

    def _note(self, packshot: Packshot, call: Call) -> None:
        self._metrics.count(catalogue.IMAGES)
        self._metrics.count(catalogue.PIXELS, amount=packshot.photo_pixels)
        self._metrics.count(catalogue.PICTURE_BYTES, amount=len(packshot.picture))
        if not packshot.keeps_own_cut:
            self._metrics.observe(catalogue.CONFIDENCE, packshot.confidence)
        call.facts |= {
            "photo_pixels": packshot.photo_pixels,
            "picture_bytes": len(packshot.picture),
            "model": packshot.model,
            "confidence": round(packshot.confidence, 3),
            "cut": "keep" if packshot.keeps_own_cut else "refine",
        }
        for note in packshot.notes:
            log.warning("%s: %s", call.method, note)
