"""What every route of the face shares, and how a request is led through one of them."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from packshot import AsyncClient, Packshot, PackshotError, RenderOptions
from web.body import UploadLimits, discard
from web.config import WebConfig
from web.errors import WebError, from_packshot
from web.fetching import Fetcher
from web.gateway import CallerGoneError, GatewayDoor, unless_gone
from web.parts import Form
from web.room import Place, Room
from web.telemetry import Telemetry
from web.uploads import read_form

log = logging.getLogger(__name__)

Write = Callable[[WebError], Response]


@dataclass(frozen=True, slots=True)
class Face:
    """The parts that all routes use.

    Attributes:
        config: The settings.
        door: The way to the gateway.
        room: What is held of callers' bytes.
        fetcher: Fetches addresses.
        telemetry: Metrics.
    """

    config: WebConfig
    door: GatewayDoor
    room: Room
    fetcher: Fetcher
    telemetry: Telemetry

    @property
    def limits(self) -> UploadLimits:
        """What an upload may be."""
        return UploadLimits(
            self.config.max_photo_bytes,
            self.config.idle_timeout_s,
            self.config.receive_timeout_s,
        )


@dataclass(frozen=True, slots=True)
class Call:
    """One request on its way.

    Attributes:
        face: The face.
        request: The request.
        place: Its share of the room.
        client: Calls the gateway for its sender.
    """

    face: Face
    request: Request
    place: Place
    client: AsyncClient

    async def form(self) -> Form:
        """Receive the request's form."""
        return await read_form(self.request, self.place, self.face.limits)

    async def render(self, photo: bytes, options: RenderOptions) -> Packshot:
        """Have the gateway render a photo; gives up where the caller does."""
        self.place.take(len(photo))
        shot = await unless_gone(self.request, self.client.render(photo, **options))
        self.place.add(len(shot.picture) + len(shot.matte))
        return shot


Handle = Callable[[Call], Awaitable[Response]]


class Endpoint:
    """An ASGI application of one route: room, work, errors in the contract's form, and the answer.

    Args:
        face: The face.
        handle: Does the work.
        write: Writes an error.
    """

    def __init__(self, face: Face, handle: Handle, write: Write) -> None:
        self._face = face
        self._handle = handle
        self._write = write

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        request = Request(scope, receive)
        try:
            with self._face.room.place() as place:
                response = await self._answer(request, place)
                if response is not None:
                    await self._send(response, scope, receive, send)
        except WebError as exc:  # no room
            exc.headers["Connection"] = "close"
            await discard(request)
            await self._send(self._write(exc), scope, receive, send)

    async def _answer(self, request: Request, place: Place) -> Response | None:
        try:
            client = await self._face.door.caller(request)
            return await self._handle(Call(self._face, request, place, client))
        except CallerGoneError:
            return None
        except WebError as exc:
            return self._write(exc)
        except PackshotError as exc:
            return self._write(from_packshot(exc))
        except Exception:
            log.exception("%s failed", request.url.path)
            error = WebError(HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error", "internal error")
            return self._write(error)

    async def _send(self, response: Response, scope: Scope, receive: Receive, send: Send) -> None:
        response.headers["Cache-Control"] = "no-store"
        megabytes = len(response.body) / 2**20
        try:
            async with asyncio.timeout(self._face.config.send_timeout_s + megabytes):
                await response(scope, receive, send)
        except TimeoutError:
            log.warning("an answer was not taken in time")
            raise


def write_error(error: WebError, body: Mapping[str, object]) -> Response:
    """Write an error with its headers."""
    return JSONResponse(
        body, error.status, {**error.headers, "X-Error-Code": _header_safe(error.code)}
    )


def _header_safe(text: str) -> str:
    return "".join(char if char.isascii() and char.isprintable() else "?" for char in text)
