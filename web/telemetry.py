"""What the face shows of itself: metrics, and one line of log a request."""

import logging
import time
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from metrics.kept import KeptMetrics
from web import catalogue
from web.catalogue import FETCHES, STATUSES

log = logging.getLogger("web")

# Watchers come every few seconds: their lines would bury the others.
_QUIET: Final = "watch"
_GONE: Final = 499
_ROUTES: Final = {
    "/v1.0/removebg": "removebg",
    "/v1.0/account": "account",
    "/v1/segment": "segment",
    "/api/render": "render",
    "/api/choices": "choices",
    "/": "page",
    "/openapi.json": "page",
    "/livez": _QUIET,
    "/readyz": _QUIET,
    "/metrics": _QUIET,
}


class Telemetry:
    """The metrics of one face, each in a registry of its own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)
        self._metrics = KeptMetrics(self._registry, catalogue.all_metrics())

    def scrape(self) -> bytes:
        """Return the metrics as Prometheus reads them."""
        return generate_latest(self._registry)

    def answered(self, route: str, status: int, took_s: float, received: int, sent: int) -> None:
        """Count a request."""
        text = str(status) if str(status) in STATUSES else "other"
        self._metrics.count(catalogue.REQUESTS, route, text)
        self._metrics.count(catalogue.RECEIVED, amount=received)
        self._metrics.count(catalogue.SENT, amount=sent)
        self._metrics.observe(catalogue.REQUEST_DURATION, took_s, route)

    def limits(self, requests: int, size: int) -> None:
        """Show the bounds."""
        self._metrics.show(catalogue.PLACES_LIMIT, requests)
        self._metrics.show(catalogue.BYTES_LIMIT, size)

    def holds(self, requests: int, size: int) -> None:
        """Show what is inside."""
        self._metrics.show(catalogue.PLACES, requests)
        self._metrics.show(catalogue.BYTES, size)

    def refused(self, bound: str) -> None:
        """Count a request that found no room."""
        self._metrics.count(catalogue.REFUSALS, bound)

    def fetched(self, outcome: str) -> None:
        """Count an address fetched, by one of `FETCHES`."""
        assert outcome in FETCHES  # noqa: S101
        self._metrics.count(catalogue.FETCHED, outcome)

    def ready(self, *, is_ready: bool) -> None:
        """Show what the gateway said."""
        self._metrics.show(catalogue.READY, is_ready)


class Watched:
    """An ASGI application whose requests are counted, timed and logged.

    Args:
        app: The application.
        telemetry: Takes the figures.
    """

    def __init__(self, app: ASGIApp, telemetry: Telemetry) -> None:
        self._app = app
        self._telemetry = telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start_s, status, received, sent, code = time.monotonic(), 0, 0, 0, ""

        async def receive_counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            return message

        async def send_counted(message: Message) -> None:
            nonlocal status, sent, code
            if message["type"] == "http.response.start":
                status = message["status"]
                code = dict(message["headers"]).get(b"x-error-code", b"").decode()
            sent += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive_counted, send_counted)
        finally:
            took_s = time.monotonic() - start_s
            path = scope["path"]
            route = _ROUTES.get(path, "page" if path.startswith("/page/") else "other")
            self._telemetry.answered(route, status or _GONE, took_s, received, sent)
            level = logging.DEBUG if route == _QUIET else logging.INFO
            log.log(
                level,
                "%s %s",
                scope["method"],
                path[:200],
                extra={
                    "status": status or _GONE,
                    "took_ms": round(took_s * 1000, 1),
                    "bytes_in": received,
                    "bytes_out": sent,
                    "caller": (scope.get("client") or ("",))[0],
                    **({"code": code} if code else {}),
                    **_trace(scope),
                },
            )


def _trace(scope: Scope) -> dict[str, str]:
    for name, value in scope["headers"]:
        if name == b"traceparent":
            parts = value.decode("latin-1").split("-")
            return {"trace_id": parts[1]} if len(parts) == 4 else {}  # noqa: PLR2004
    return {}
