"""The gateways that share a worker's photos: a stream to each, and what is done when one fails.

Each gateway takes the next photo as it has room, so a faster one takes more. A photo that a
gateway could not answer goes back in line, and any of them takes it; its idempotency key keeps it
from being charged twice. A full gateway is sent fewer at once. Nobody gives up on an absent service
before the patience is at its end.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import grpc

from catalogue.backoff import Backoff
from catalogue.errors import StoppedError
from catalogue.limit import Limit
from packshot import (
    AsyncClient,
    InvalidRequestError,
    ModelNotFoundError,
    NoForegroundError,
    Order,
    OutOfCreditsError,
    OverloadedError,
    Packshot,
    PackshotError,
    Rendered,
    RenderOptions,
    Security,
    UnauthenticatedError,
    UnavailableError,
    UnsupportedError,
)

# What the photo itself is the cause of.
FINAL = (InvalidRequestError, NoForegroundError, ModelNotFoundError)
# What no photo gets past.
_STOPS = (UnauthenticatedError, OutOfCreditsError, UnsupportedError)
# How often a photo may fail by itself, while others are answered.
_MOST_FAILURES = 5


@dataclass(frozen=True, slots=True)
class Connection:
    """How the gateways are reached.

    Attributes:
        targets: Their addresses, HOST:PORT each.
        security: TLS and the API key, the same for all.
        window: Most photos in flight at each.
        patience_s: Seconds without any answer after which the job stops.
        silence_s: Seconds without an answer after which a stream with photos in flight is begun
            anew.
    """

    targets: tuple[str, ...]
    security: Mapping[str, Any] = field(default_factory=dict)
    window: int = 16
    patience_s: float = 900.0
    silence_s: float = 300.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a gateway answered.

    Attributes:
        packshot: The packshot.
        target: The gateway.
        attempts: How often the photo was sent.
        seconds: From handing the photo over to the answer, waiting included.
    """

    packshot: Packshot
    target: str
    attempts: int
    seconds: float


class RenderFailedError(Exception):
    """A photo has no packshot.

    Attributes:
        error: Why.
        attempts: How often the photo was sent.
    """

    def __init__(self, error: PackshotError, attempts: int) -> None:
        super().__init__(str(error))
        self.error = error
        self.attempts = attempts


@dataclass(slots=True)
class _Photo:
    order: Order
    answer: "asyncio.Future[Answer]"
    start_s: float
    attempts: int = 0
    # Failures between which others were answered, so that they are the photo's own.
    failures: int = 0
    answers_at_failure: int = -1


class Gateways:
    """Sends photos to the gateways; for one event loop.

    Args:
        connection: How they are reached.
        options: Of all photos.
        backoff: Between the attempts of a stream.
    """

    def __init__(
        self, connection: Connection, options: RenderOptions, backoff: Backoff | None = None
    ) -> None:
        self._patience_s = connection.patience_s
        self._waiting: asyncio.Queue[_Photo] = asyncio.Queue()
        self._open: dict[int, _Photo] = {}
        self._answers = 0
        self._last_answer_s = time.monotonic()
        self._stopped: StoppedError | None = None
        backoff = backoff or Backoff()
        lanes = [_Lane(self, target, connection, options, backoff) for target in connection.targets]
        self._tasks = [asyncio.create_task(lane.run()) for lane in lanes]

    @property
    def stopped(self) -> StoppedError | None:
        """Why no photo can be rendered any more; None while they can."""
        return self._stopped

    async def render(self, order: Order) -> Answer:
        """Render one photo.

        Raises:
            RenderFailedError: It has no packshot.
            StoppedError: No photo can be rendered now.
        """
        if self._stopped:
            raise self._stopped
        if not self._open:
            self._last_answer_s = time.monotonic()  # nobody was asked meanwhile
        photo = _Photo(order, asyncio.get_running_loop().create_future(), time.monotonic())
        self._open[id(photo)] = photo
        self._waiting.put_nowait(photo)
        try:
            return await photo.answer
        finally:
            del self._open[id(photo)]

    async def close(self) -> None:
        """End the streams."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def next_photo(self) -> _Photo:
        """Wait for a photo that somebody still wants."""
        while True:
            photo = await self._waiting.get()
            if not photo.answer.done():
                photo.attempts += 1
                return photo

    def settle(self, photo: _Photo, packshot: Packshot, target: str) -> None:
        """Take a photo's packshot."""
        self._answers += 1
        self._last_answer_s = time.monotonic()
        if not photo.answer.done():
            seconds = self._last_answer_s - photo.start_s
            photo.answer.set_result(Answer(packshot, target, photo.attempts, seconds))

    def fail(
        self, photo: _Photo, error: PackshotError, pause_s: float, *, of_stream: bool = False
    ) -> None:
        """Take a photo's failure: for good, or until it has waited.

        Args:
            photo: The photo.
            error: What happened.
            pause_s: How long it waits.
            of_stream: Whether the stream failed, and so nothing was said of the photo.
        """
        if isinstance(error, _STOPS):
            self.stop(f"{error.reason or error.code.name}: {error}")
        elif isinstance(error, FINAL) and not of_stream:
            self._answers += 1
            self._last_answer_s = time.monotonic()
            self._give_up(photo, error)
        elif self._is_its_own(photo, error) and photo.failures >= _MOST_FAILURES:
            self._give_up(photo, error)
        else:
            self.check_patience(error)
            asyncio.get_running_loop().call_later(pause_s, self._waiting.put_nowait, photo)

    def check_patience(self, error: PackshotError) -> None:
        """Stop everything if nobody has answered for too long."""
        silent_s = time.monotonic() - self._last_answer_s
        if self._open and silent_s > self._patience_s:
            self.stop(f"no gateway has answered for {silent_s:.0f} s: {error}")

    def stop(self, reason: str) -> None:
        """End everything that waits."""
        self._stopped = self._stopped or StoppedError(reason)
        for photo in self._open.values():
            if not photo.answer.done():
                photo.answer.set_exception(self._stopped)

    def _is_its_own(self, photo: _Photo, error: PackshotError) -> bool:
        """Count a failure that others do not share; a full gateway is no failure of a photo's."""
        if isinstance(error, OverloadedError):
            return False
        if photo.answers_at_failure < self._answers:
            photo.failures += 1
            photo.answers_at_failure = self._answers
        return True

    def _give_up(self, photo: _Photo, error: PackshotError) -> None:
        if not photo.answer.done():
            photo.answer.set_exception(RenderFailedError(error, photo.attempts))


class _Lane:
    """The stream to one gateway."""

    def __init__(
        self,
        gateways: Gateways,
        target: str,
        connection: Connection,
        options: RenderOptions,
        backoff: Backoff,
    ) -> None:
        self._gateways = gateways
        self._target = target
        self._connection = connection
        self._options = options
        self._backoff = backoff
        self._limit = Limit(connection.window)
        self._sent: dict[int, _Photo] = {}
        self._failures = 0

    async def run(self) -> None:
        """Keep a stream open until the task is cancelled."""
        security: Security = {**self._connection.security}  # type: ignore[typeddict-item]
        # Its retries of a photo share one budget with the stream's; here each photo has its own.
        async with AsyncClient(self._target, retries=False, **security) as client:
            while True:
                try:
                    await self._stream(client)
                    error: PackshotError | None = None
                except PackshotError as exc:
                    error = exc
                await self._recover(error)

    async def _stream(self, client: AsyncClient) -> None:
        """Send photos and take answers until the stream ends."""
        outcomes = client.render_many(
            self._orders(), window=self._connection.window, **self._options
        )
        async with aclosing(outcomes):
            while True:
                step = asyncio.ensure_future(anext(outcomes, None))
                try:
                    outcome = await self._await_step(step)
                finally:
                    step.cancel()
                    await asyncio.wait({step})
                if outcome is None:
                    return
                self._take(outcome)

    async def _await_step(self, step: "asyncio.Task[Rendered | None]") -> Rendered | None:
        """Wait for the next answer; give up on a gateway that is silent about photos it has."""
        while True:
            done, _ = await asyncio.wait({step}, timeout=self._connection.silence_s)
            if done:
                return step.result()
            if self._sent:
                raise _silent(self._target, self._connection.silence_s)

    async def _orders(self) -> AsyncGenerator[Order, None]:
        index = 0
        while True:
            await self._limit.take()
            try:
                photo = await self._gateways.next_photo()
            except BaseException:
                self._limit.give_back()
                raise
            self._sent[index] = photo
            index += 1
            yield photo.order

    def _take(self, outcome: Rendered) -> None:
        photo = self._sent.pop(outcome.index)
        self._limit.give_back()
        if outcome.packshot:
            self._failures = 0
            self._limit.was_answered()
            self._gateways.settle(photo, outcome.packshot, self._target)
        elif outcome.error:
            self._gateways.fail(photo, outcome.error, self._pause_s(outcome.error, photo.attempts))

    async def _recover(self, error: PackshotError | None) -> None:
        """Put the photos that have no answer back in line, and wait before the next stream."""
        self._failures += 1
        error = error or _silent(self._target, 0)
        pause_s = self._pause_s(error, self._failures)
        sent, self._sent = list(self._sent.values()), {}
        for photo in sent:
            self._limit.give_back()
            self._gateways.fail(photo, error, 0.0, of_stream=True)
        if not sent:
            if isinstance(error, _STOPS):
                self._gateways.stop(f"{error.reason or error.code.name}: {error}")
            self._gateways.check_patience(error)
        await asyncio.sleep(pause_s)

    def _pause_s(self, error: PackshotError, attempts: int) -> float:
        if isinstance(error, OverloadedError):
            self._limit.was_refused()
        if error.retry_after_s is not None:
            return max(error.retry_after_s, 0.05)
        return self._backoff.pause_s(min(attempts, 10))


def _silent(target: str, seconds: float) -> UnavailableError:
    return UnavailableError(
        f"{target} has not answered for {seconds:g} s" if seconds else f"{target} ended the stream",
        code=grpc.StatusCode.UNAVAILABLE,
        reason="SILENT",
    )
