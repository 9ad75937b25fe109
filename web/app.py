"""The face's routes, put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from ssl import SSLContext
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web import page_api
from web.config import WebConfig
from web.errors import WebError
from web.face import Endpoint, Face
from web.fetching import Fetcher
from web.gateway import GatewayDoor
from web.openapi import document
from web.photoroom import segment, write_photoroom_error
from web.removebg.answers import write_removebg_error
from web.removebg.routes import remove_background, tell_account
from web.room import Room
from web.telemetry import Telemetry, Watched

_PAGE: Final = Path(__file__).parent / "page"
_CALLED_FROM: Final = ("X-Api-Key", "Authorization", "Content-Type", "Traceparent", "Tracestate")
_TOLD: Final = (
    *("X-Type", "X-Width", "X-Height", "X-Credits-Charged", "Retry-After", "X-Error-Code"),
    *(f"X-Foreground-{side}" for side in ("Top", "Left", "Width", "Height")),
    *(f"X-RateLimit-{what}" for what in ("Limit", "Remaining", "Reset")),
    *("X-Packshot-Approximated", "X-Packshot-Notes"),
)
# The page runs its own files, shows pictures that it holds itself, and calls nobody but this face.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_SAFE: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", _POLICY.encode()),
)


def make_app(config: WebConfig, trust: SSLContext | None = None) -> ASGIApp:
    """Make the face's ASGI application.

    Args:
        config: Its settings.
        trust: What judges https addresses that are fetched; None: the machine's own CAs.
    """
    telemetry = Telemetry()
    door = GatewayDoor(config)
    room = Room(config.max_requests, config.max_bytes_in_flight, telemetry.metrics)
    face = Face(config, door, room, Fetcher(config, telemetry.metrics, trust), telemetry)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        await door.close()

    async def readyz(_request: Request) -> Response:
        is_ready = await door.is_ready()
        telemetry.metrics.ready.set(is_ready)
        if is_ready:
            return PlainTextResponse("ready\n")
        return PlainTextResponse("not ready\n", HTTPStatus.SERVICE_UNAVAILABLE)

    async def livez(_request: Request) -> Response:
        return PlainTextResponse("alive\n")

    async def metrics(_request: Request) -> Response:
        return Response(telemetry.scrape(), media_type="text/plain; version=0.0.4; charset=utf-8")

    described = document(_version())

    async def openapi(_request: Request) -> Response:
        return JSONResponse(described)

    async def page(_request: Request) -> Response:
        return FileResponse(_PAGE / "index.html", headers={"Cache-Control": "no-cache"})

    removebg, photoroom = write_removebg_error, write_photoroom_error
    routes = [
        Route("/v1.0/removebg", Endpoint(face, remove_background, removebg), methods=["POST"]),
        Route("/v1.0/account", Endpoint(face, tell_account, removebg), methods=["GET"]),
        Route("/v1/segment", Endpoint(face, segment, photoroom), methods=["POST"]),
        Route("/api/render", Endpoint(face, page_api.render, removebg), methods=["POST"]),
        Route("/api/choices", Endpoint(face, page_api.choices, removebg), methods=["GET"]),
        Route("/openapi.json", openapi),
        Route("/livez", livez),
        Route("/readyz", readyz),
        Route("/metrics", metrics),
        Route("/", page),
        Mount("/page", StaticFiles(directory=_PAGE)),
    ]
    cors = Middleware(
        CORSMiddleware,
        allow_origins=list(config.cors_origins),
        allow_methods=["GET", "POST"],
        allow_headers=list(_CALLED_FROM),
        expose_headers=list(_TOLD),
    )
    app = Starlette(
        routes=routes,
        middleware=[cors] if config.cors_origins else [],
        exception_handlers={HTTPException: _write_http_error},
        lifespan=lifespan,
    )
    return Watched(_Safe(app), telemetry)


class _Safe:
    """An application whose answers carry the headers that browsers are kept in bounds by."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_safe(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_SAFE]
            await send(message)

        await self._app(scope, receive, send_safe if scope["type"] == "http" else send)


async def _write_http_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  by its registration
    status = HTTPStatus(error.status_code)
    code = status.name.lower()
    return write_removebg_error(
        WebError(
            status,
            code,
            status.description or status.phrase,
            title=status.phrase,
            headers=error.headers,
        )
    )


def _version() -> str:
    try:
        return version("packshot")
    except PackageNotFoundError:
        return "0"
