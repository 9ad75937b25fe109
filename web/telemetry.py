"""Telemetry of the HTTP face: metrics, and one line of log a request."""

import logging
import time
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.metrics import STATUSES, Metrics, Route

log = logging.getLogger("web")

# Probes come every few seconds; their lines would hide the others.
_QUIET: Final = "watch"
_GONE: Final = 499
_ROUTES: Final[dict[str, Route]] = {
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
    """The metrics of one face, in a registry of its own.

    Attributes:
        metrics: Those that the face counts itself.
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)
        self.metrics = Metrics(self._registry)

    def scrape(self) -> bytes:
        """Return the metrics as Prometheus reads them."""
        return generate_latest(self._registry)


class Watched:
    """An ASGI application whose requests are counted, timed and logged.

    Args:
        app: The application.
        telemetry: Takes the figures.
    """

    def __init__(self, app: ASGIApp, telemetry: Telemetry) -> None:
        self._app = app
        self._metrics = telemetry.metrics

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
            self._count(route, status or _GONE, took_s, received, sent)
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

    def _count(self, route: Route, status: int, took_s: float, received: int, sent: int) -> None:
        text = str(status) if str(status) in STATUSES else "other"
        self._metrics.requests.labels(route, text).inc()
        self._metrics.received_bytes.inc(received)
        self._metrics.sent_bytes.inc(sent)
        self._metrics.request_duration.labels(route).observe(took_s)


def _trace(scope: Scope) -> dict[str, str]:
    for name, value in scope["headers"]:
        if name == b"traceparent":
            parts = value.decode("latin-1").split("-")
            return {"trace_id": parts[1]} if len(parts) == 4 else {}  # noqa: PLR2004
    return {}
