"""The small HTTP server beside the gRPC one: /metrics, /livez and /readyz."""

import threading
from collections.abc import Callable, Iterable
from http import HTTPStatus
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, cast
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from prometheus_client import CollectorRegistry, make_wsgi_app

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

# How long `close` may wait for the serving thread to notice.
_POLL_S = 0.05


class MetricsServer:
    """Serves metrics, liveness and readiness from a thread of its own.

    Args:
        host: The address to bind to.
        port: The port; 0 picks a free one.
        registry: The metrics to show.
        is_ready: Called for /readyz.

    Raises:
        OSError: The port cannot be bound.
    """

    def __init__(
        self, host: str, port: int, registry: CollectorRegistry, is_ready: Callable[[], bool]
    ) -> None:
        self._server = _ThreadingServer((host, port), _QuietHandler)
        self._server.set_app(_application(registry, is_ready))
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_POLL_S,), name="metrics", daemon=True
        )
        self._thread.start()

    @property
    def port(self) -> int:
        """The port bound."""
        return self._server.server_port

    def close(self) -> None:
        """Stop serving and free the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _ThreadingServer(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def server_bind(self) -> None:
        # WSGIServer looks the host's full name up here, which can hang where there is no DNS.
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "", self.server_address[1]
        self.setup_environ()


class _QuietHandler(WSGIRequestHandler):
    def log_message(self, *_args: object) -> None:
        """Scrapes are no news."""


def _application(registry: CollectorRegistry, is_ready: Callable[[], bool]) -> "WSGIApplication":
    metrics = make_wsgi_app(registry)

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        match environ.get("PATH_INFO"):
            case "/metrics":
                return cast("Iterable[bytes]", metrics(environ, start_response))
            case "/livez":
                status, body = HTTPStatus.OK, b"alive\n"
            case "/readyz" if is_ready():
                status, body = HTTPStatus.OK, b"ready\n"
            case "/readyz":
                status, body = HTTPStatus.SERVICE_UNAVAILABLE, b"not ready\n"
            case _:
                status, body = HTTPStatus.NOT_FOUND, b"/metrics, /livez, /readyz\n"
        start_response(f"{status.value} {status.phrase}", [("Content-Type", "text/plain")])
        return [body]

    return application
