"""A request's body as it comes in: within limits, in time, and in the room that there is."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from starlette.requests import Request

from web.errors import WebError, invalid
from web.parts import too_large
from web.room import Place

# How long the rest of an upload that is refused is received all the same.
_DISCARD_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """What an upload may be.

    Attributes:
        max_file_bytes: Of one file.
        idle_timeout_s: Time without a byte.
        receive_timeout_s: Time for all of it.
    """

    max_file_bytes: int
    idle_timeout_s: float
    receive_timeout_s: float


class Body:
    """A request's body as it comes in.

    Attributes:
        has_more: Whether some of it may still come.
    """

    def __init__(self, request: Request, place: Place, limits: UploadLimits) -> None:
        self._request = request
        self._place = place
        self._limits = limits
        self.has_more = True

    async def receive(self, most: int, write: Callable[[bytes], object]) -> None:
        """Feed it to a function, within the limits and in time.

        Raises:
            WebError: It is too long, too slow or breaks off, or there is no room for it.
        """
        loop, idle_s = asyncio.get_running_loop(), self._limits.idle_timeout_s
        end_s, received = loop.time() + self._limits.receive_timeout_s, 0
        try:
            async with asyncio.timeout(idle_s) as clock:
                while self.has_more:
                    chunk = await self._next()
                    received += len(chunk)
                    if received > most:
                        raise too_large(received, most)
                    self._place.take(len(chunk))
                    write(chunk)
                    clock.reschedule(min(loop.time() + idle_s, end_s))
        except TimeoutError as exc:
            raise WebError(
                HTTPStatus.REQUEST_TIMEOUT,
                "upload_too_slow",
                f"{received} bytes came; an upload may pause for {idle_s:g} s and take "
                f"{self._limits.receive_timeout_s:g} s",
            ) from exc

    async def _next(self) -> bytes:
        message = await self._request.receive()
        if message["type"] != "http.request":
            self.has_more = False
            raise invalid("upload_broken_off", "the upload ended early")
        self.has_more = message.get("more_body", False)
        return bytes(message.get("body", b""))


async def discard(request: Request) -> None:
    """Drop what is left of a body that is not wanted, for a while.

    A connection that is closed while its caller sends is reset, and the answer lost with it. A
    caller who asks first, by `Expect`, has sent nothing.
    """
    if "expect" in request.headers:
        return
    with suppress(TimeoutError):
        async with asyncio.timeout(_DISCARD_S):
            more = True
            while more:
                message = await request.receive()
                more = message["type"] == "http.request" and message.get("more_body", False)
