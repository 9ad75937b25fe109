"""A receiver of traces, OTLP over HTTP as every collector has it, that keeps the count alone."""

import gzip
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self


class TraceSink:
    """Receives OTLP over HTTP on a free port for the time of a block.

    Attributes:
        received: How many requests there were, each with a batch of spans.
    """

    def __init__(self) -> None:
        self.received = 0
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                kind = self.headers["Content-Type"]
                sink.take(self.path, body, kind)
                # Without a body, which is how an empty answer is written.
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.end_headers()

            def log_message(self, *_args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def take(self, path: str, body: bytes, kind: str) -> None:  # noqa: ARG002
        """Take a request: its path, its body without compression, and the body's media type."""
        self.received += 1

    @property
    def endpoint(self) -> str:
        """Its base URL, as `PACKSHOT_OTLP_ENDPOINT` takes it."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
