"""The gateways that share a worker's photos, and what is done when one fails.

Each gateway takes the next photo as it has room, so a faster one takes more. A photo that a
gateway could not answer goes back in line, and any of them takes it; its idempotency key keeps it
from being charged twice. A photo that was there when streams broke off, twice, is sent by itself,
so that a photo that breaks streams takes no others along. Nobody gives up on an absent service
before the patience is at its end.
"""

import asyncio
import itertools
import time

from catalogue.backoff import Backoff
from catalogue.errors import StoppedError
from catalogue.lane import Lane
from catalogue.orders import FINAL, STOPS, Answer, Connection, Photo, RenderFailedError
from packshot import Order, OverloadedError, Packshot, PackshotError, RenderOptions

# How often a photo may fail by itself, while others are answered.
_MOST_FAILURES = 5
# How many streams may break off under a photo before it is sent by itself.
_MOST_BREAKS = 2


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
        self._waiting: asyncio.Queue[Photo] = asyncio.Queue()
        self._suspects: asyncio.Queue[Photo] = asyncio.Queue()
        self._open: dict[int, Photo] = {}
        self._answers = 0
        self._last_answer_s = time.monotonic()
        self._stopped: StoppedError | None = None
        backoff = backoff or Backoff()
        lanes = [Lane(self, target, connection, options, backoff) for target in connection.targets]
        self._tasks = [asyncio.create_task(lane.run()) for lane in lanes]
        self._tasks.append(asyncio.create_task(self._examine(lanes)))

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
        photo = Photo(order, asyncio.get_running_loop().create_future(), time.monotonic())
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

    async def next_photo(self) -> Photo:
        """Wait for a photo that somebody still wants."""
        while True:
            photo = await self._waiting.get()
            if not photo.answer.done():
                return photo

    def settle(self, photo: Photo, packshot: Packshot, target: str) -> None:
        """Take a photo's packshot."""
        self._answers += 1
        self._last_answer_s = time.monotonic()
        if not photo.answer.done():
            seconds = self._last_answer_s - photo.start_s
            photo.answer.set_result(Answer(packshot, target, (*photo.causes,), seconds))

    def fail(self, photo: Photo, error: PackshotError, pause_s: float, *, by: str) -> None:
        """Take a photo's failure: for good, or until it has waited.

        Args:
            photo: The photo.
            error: What happened.
            pause_s: How long it waits.
            by: "answer" where the gateway answered so, "stream" where the stream broke off and
                nothing was said of the photo, "itself" where a gateway that was ready was sent
                this photo alone.
        """
        self._count(photo, error, by)
        line = self._suspects if photo.breaks >= _MOST_BREAKS else self._waiting
        if isinstance(error, STOPS):
            self.stop(f"{error.reason or error.code.name}: {error}")
        elif isinstance(error, FINAL) and by != "stream":
            self._answers += 1
            self._last_answer_s = time.monotonic()
            self._give_up(photo, error)
        elif photo.failures >= _MOST_FAILURES:
            self._give_up(photo, error)
        else:
            self.check_patience(error)
            photo.causes.append(error.reason or error.code.name)
            asyncio.get_running_loop().call_later(pause_s, line.put_nowait, photo)

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

    def _count(self, photo: Photo, error: PackshotError, by: str) -> None:
        """Count a failure that not all share; a full gateway is no failure of a photo's."""
        if isinstance(error, OverloadedError):
            return
        if by == "stream":
            photo.breaks += 1
        elif by == "itself" or photo.answers_at_failure < self._answers:
            photo.failures += 1
            photo.answers_at_failure = self._answers

    async def _examine(self, lanes: "list[Lane]") -> None:
        """Send photos that streams broke off under, one by one, to one gateway after the other."""
        for lane in itertools.cycle(lanes):
            photo = await self._suspects.get()
            if not photo.answer.done():
                await lane.render_alone(photo)

    def _give_up(self, photo: Photo, error: PackshotError) -> None:
        if not photo.answer.done():
            photo.answer.set_exception(RenderFailedError(error, (*photo.causes,)))
