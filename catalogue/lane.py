"""The stream to one gateway, which is begun anew whenever it ends."""

import asyncio
import itertools
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Protocol, cast

from catalogue.backoff import Backoff
from catalogue.limit import Limit
from catalogue.orders import STOPS, Connection, Photo, silent
from packshot import (
    AsyncClient,
    DeadlineExceededError,
    Order,
    OverloadedError,
    Packshot,
    PackshotError,
    Rendered,
    RenderOptions,
    Security,
    UnavailableError,
    UnsupportedError,
)

_HEALTH_S = 5.0
# What the gateway says whatever the photo: it is full, too slow for it, or without a Triton.
_REFUSALS = (OverloadedError, DeadlineExceededError, UnavailableError)


class Line(Protocol):
    """Where photos wait, and where what became of them is told."""

    async def next_photo(self) -> Photo:
        """Wait for a photo."""
        ...

    def settle(self, photo: Photo, packshot: Packshot, target: str) -> None:
        """Take a photo's packshot."""
        ...

    def fail(self, photo: Photo, error: PackshotError, pause_s: float, *, by: str) -> None:
        """Take a photo's failure."""
        ...

    def check_patience(self, error: PackshotError) -> None:
        """Stop everything if nobody has answered for too long."""
        ...

    def stop(self, reason: str) -> None:
        """End everything that waits."""
        ...


class Lane:
    """The stream to one gateway."""

    def __init__(
        self,
        line: Line,
        target: str,
        connection: Connection,
        options: RenderOptions,
        backoff: Backoff,
    ) -> None:
        self._line = line
        self._target = target
        self._connection = connection
        self._options = options
        self._backoff = backoff
        self._limit = Limit(connection.window)
        self._sent: dict[int, Photo] = {}
        self._failures = 0
        self._resume_s = 0.0

    async def run(self) -> None:
        """Keep a stream open until the task is cancelled."""
        async with self._client() as client:
            while True:
                await self._until_ready(client)
                try:
                    await self._stream(client)
                    error: PackshotError | None = None
                except PackshotError as exc:
                    error = exc
                await self._recover(error)

    async def _until_ready(self, client: AsyncClient) -> None:
        """Wait until the gateway can render, so that no photo is taken for one that cannot."""
        for attempt in itertools.count(1):
            try:
                if await client.healthy(timeout_s=_HEALTH_S):
                    return
                error: PackshotError = silent(self._target, 0)
            except UnsupportedError:
                return  # it has no health service, and is taken at its word
            except PackshotError as exc:
                error = exc
            self._line.check_patience(error)
            await asyncio.sleep(self._backoff.pause_s(min(attempt, 4)))

    async def render_alone(self, photo: Photo) -> None:
        """Send one photo by a call of its own."""
        options = {**self._options, **photo.order.options}
        async with self._client() as client:
            await self._until_ready(client)
            try:
                packshot = await client.render(
                    photo.order.photo,
                    timeout_s=self._connection.silence_s,
                    **cast("RenderOptions", options),
                )
            except PackshotError as exc:
                self._line.fail(photo, exc, self._pause_s(exc, photo.failures + 1), by="itself")
            else:
                self._line.settle(photo, packshot, self._target)

    def _client(self) -> AsyncClient:
        # A client's own retries share one budget; here each photo has its own.
        security: Security = {**self._connection.security}  # type: ignore[typeddict-item]
        return AsyncClient(self._target, retries=False, **security)

    async def _stream(self, client: AsyncClient) -> None:
        """Send photos and take answers until the stream ends."""
        outcomes = client.render_many(
            self._orders(client), window=self._connection.window, **self._options
        )
        try:
            async with asyncio.timeout(None) as self._silence, aclosing(outcomes):
                async for outcome in outcomes:
                    self._take(outcome)
        except TimeoutError:
            raise silent(self._target, self._connection.silence_s) from None

    def _watch(self) -> None:
        """Give the gateway its time to answer one of the photos that it has."""
        if not self._silence.expired():
            now_s = asyncio.get_running_loop().time()
            end_s = now_s + self._connection.silence_s if self._sent else None
            self._silence.reschedule(end_s)

    async def _orders(self, client: AsyncClient) -> AsyncGenerator[Order, None]:
        index = 0
        while True:
            await self._limit.take()
            try:
                await self._until_resumed(client)
                photo = await self._line.next_photo()
            except BaseException:
                self._limit.give_back()
                raise
            self._sent[index] = photo
            if len(self._sent) == 1:
                self._watch()
            index += 1
            yield photo.order

    async def _until_resumed(self, client: AsyncClient) -> None:
        """Wait as long as the gateway's last refusal asks for, and until it can render again.

        Otherwise every photo in line would be sent to be refused.
        """
        while (left_s := self._resume_s - time.monotonic()) > 0:
            await asyncio.sleep(left_s)
            await self._until_ready(client)

    def _take(self, outcome: Rendered) -> None:
        photo = self._sent.pop(outcome.index)
        self._watch()
        self._limit.give_back()
        if outcome.packshot:
            self._failures = 0
            self._limit.was_answered()
            self._line.settle(photo, outcome.packshot, self._target)
        elif outcome.error:
            pause_s = self._pause_s(outcome.error, photo.attempts)
            if isinstance(outcome.error, _REFUSALS):
                self._hold(outcome.error)
            self._line.fail(photo, outcome.error, pause_s, by="answer")

    def _hold(self, error: PackshotError) -> None:
        """Send nothing for a while; refusals that come together are one."""
        if time.monotonic() >= self._resume_s:
            self._failures += 1
        self._resume_s = max(
            self._resume_s, time.monotonic() + self._pause_s(error, self._failures)
        )

    async def _recover(self, error: PackshotError | None) -> None:
        """Put the photos that have no answer back in line, and wait before the next stream."""
        self._failures += 1
        error = error or silent(self._target, 0)
        pause_s = self._pause_s(error, self._failures)
        sent, self._sent = list(self._sent.values()), {}
        for photo in sent:
            self._limit.give_back()
            self._line.fail(photo, error, 0.0, by="stream")
        if not sent:
            if isinstance(error, STOPS):
                self._line.stop(f"{error.reason or error.code.name}: {error}")
            self._line.check_patience(error)
        await asyncio.sleep(pause_s)

    def _pause_s(self, error: PackshotError, attempts: int) -> float:
        if isinstance(error, _REFUSALS):
            self._limit.was_refused()
        if error.retry_after_s is not None:
            return max(error.retry_after_s, 0.05)
        return self._backoff.pause_s(min(attempts, 10))
