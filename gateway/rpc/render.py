"""One render from its request to its reply: read, admit, hold a credit, render, reply."""

import asyncio
import logging
from contextlib import suppress
from functools import partial
from typing import Final

from gateway.accounts.holds import CreditHolds, Repeatable
from gateway.admission import Admission
from gateway.admission.caller import Caller
from gateway.inference.answer_times import AnswerTimes
from gateway.observability.calls import Call
from gateway.observability.metrics import Metrics
from gateway.rendering.cost import cost_by_bytes_s
from gateway.rendering.deadline import Deadline
from gateway.rendering.packshot import Packshot
from gateway.rendering.render_call import RenderCall
from gateway.rendering.renderer import Renderer
from gateway.rendering.steps import Steps
from gateway.rpc.requests.idempotency import read_idempotency_key, request_digest
from gateway.rpc.requests.priority import read_priority
from gateway.rpc.requests.reader import OptionReader
from gateway.rpc.responses import render_response
from imaging.errors import (
    InvalidOptionError,
    OverloadedError,
    ReasonedError,
)
from packshot.v1 import packshot_pb2 as pb

log = logging.getLogger(__name__)

_MAX_ID_LENGTH: Final = 128


class RenderHandler:
    """Answers requests for renders.

    Args:
        renderer: Renders photos.
        steps: Runs what else takes processor time.
        options: Reads requests.
        admission: Limits what is inside at once.
        holds: Holds a credit around each render.
        metrics: Counts what comes in and goes out.
        answers: Knows how long a pass of each model takes.
    """

    def __init__(
        self,
        renderer: Renderer,
        steps: Steps,
        options: OptionReader,
        admission: Admission,
        holds: CreditHolds,
        metrics: Metrics,
        answers: AnswerTimes,
    ) -> None:
        self._renderer = renderer
        self._steps = steps
        self._options = options
        self._admission = admission
        self._holds = holds
        self._metrics = metrics
        self._answers = answers

    async def render(
        self, request: pb.RenderRequest, call: RenderCall, seen: Call
    ) -> pb.RenderResponse:
        """Render one photo.

        Args:
            request: The request.
            call: Who waits for it and until when. It holds the photo's reservation afterwards, of
                which the room for the reply is left.
            seen: What telemetry tells of it.

        Returns:
            The reply.

        Raises:
            ReasonedError: Whatever stopped it.
        """
        call.span, seen.render = seen.span, call
        call.priority = read_priority(request.priority)
        seen.priority = call.priority
        # Each reading of the field is a copy of the photo.
        call.photo_bytes = len(request.photo)
        seen.facts |= {"caller": call.caller.name, "photo_bytes": call.photo_bytes}
        options = self._options.read(request)
        if options.marked_by:
            seen.facts["marked_by"] = "+".join(options.marked_by)
        key = read_idempotency_key(request)
        repeatable = Repeatable(key, partial(self._digest, request, call)) if key else None
        pass_s = self._answers.pass_s(options.model)
        cost_s = cost_by_bytes_s(options, call.photo_bytes, self._options.max_pixels, pass_s)
        call.threads_s = cost_s - pass_s
        call.reservation = self._admission.admit(
            call.caller.name, call.priority, request.ByteSize(), call.deadline.left_s, cost_s
        )
        # The one deadline covers the credit's hold and its settling as well, and the wait for an
        # earlier render of the same request.
        try:
            async with (
                call.deadline.enforced(),
                self._holds.hold(call.caller, repeatable, call.deadline.remaining_s()),
            ):
                packshot = await self._renderer.render(request.photo, options, call)
                response = render_response(packshot)
        except asyncio.CancelledError:
            if call.begun:
                call.held.accrue_cost()
            raise
        self._note(packshot, seen)
        call.held.rendered(len(packshot.picture))
        return response

    async def render_streamed(
        self, message: pb.RenderStreamRequest, call: RenderCall, seen: Call
    ) -> pb.RenderResponse:
        """Render one photo of a stream, which waits for room where a lone photo is refused."""
        if len(message.id) > _MAX_ID_LENGTH:
            raise InvalidOptionError(
                f"id has {len(message.id)} characters; the limit is {_MAX_ID_LENGTH}",
                field="id",
                figures={"limit": _MAX_ID_LENGTH, "value": len(message.id)},
            )
        while True:
            call.deadline.remaining_s()
            try:
                return await self.render(message.request, call, seen)
            except OverloadedError as error:
                call.start_again()
                if call.deadline.left_s <= error.retry_after_s:
                    raise
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

    def _note(self, packshot: Packshot, seen: Call) -> None:
        self._metrics.images.inc()
        self._metrics.pixels.inc(packshot.photo_pixels)
        self._metrics.picture_bytes.inc(len(packshot.picture))
        if not packshot.keeps_own_cut:
            self._metrics.confidence.observe(packshot.confidence)
        seen.facts |= {
            "photo_pixels": packshot.photo_pixels,
            "picture_bytes": len(packshot.picture),
            "model": packshot.model,
            "confidence": round(packshot.confidence, 3),
            "cut": "keep" if packshot.keeps_own_cut else "refine",
        }
        for note in packshot.notes:
            log.warning("%s: %s", seen.method, note)
