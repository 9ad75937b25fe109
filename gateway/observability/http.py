"""The small HTTP server beside the gRPC one: /metrics, /livez and /readyz.

It has a thread and an event loop of its own, so that it answers while the gateway's loop is stuck.
The number of connections is limited, and none takes a thread. A connection that sends nothing or
reads nothing is closed after a time limit, or earlier if a newer one needs its place.
"""

import asyncio
import errno
import os
import resource
import socket
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from http import HTTPStatus
from http.client import HTTPException, parse_headers
from io import BytesIO
from typing import Any, Final, cast
from urllib.parse import urlsplit

from prometheus_client import CollectorRegistry, make_wsgi_app

# A further connection replaces the oldest.
MAX_CONNECTIONS: Final = 256
# They take no more than this share of the descriptors that the process may open.
_SHARE_OF_DESCRIPTORS: Final = 1 / 8
# Descriptors that are kept for connections to this port.
_SPARE: Final = 4
_WAITING: Final = 1024
MAX_HEAD_BYTES: Final = 8192
# For the whole head of a request, and for taking the whole reply.
RECEIVE_S: Final = 5.0
_SEND_S: Final = 10.0
_TEXT: Final = [("Content-Type", "text/plain")]

_Reply = tuple[str, list[tuple[str, str]], bytes]


class MetricsServer:
    """Serves metrics, liveness and readiness from a thread of its own.

    Args:
        host: The address to bind to.
        port: The port; 0 picks a free one.
        registry: The metrics to show.
        is_ready: Called for /readyz, from the server's thread.
        is_alive: Called for /livez, from the server's thread.

    Attributes:
        port: The port bound.

    Raises:
        OSError: The port cannot be bound.
    """

    def __init__(
        self,
        host: str,
        port: int,
        registry: CollectorRegistry,
        is_ready: Callable[[], bool],
        is_alive: Callable[[], bool],
    ) -> None:
        self._metrics = make_wsgi_app(registry)
        self._is_ready = is_ready
        self._is_alive = is_alive
        descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self._places = max(8, min(MAX_CONNECTIONS, int(descriptors * _SHARE_OF_DESCRIPTORS)))
        # What one turn of the loop accepts: a request that is there at once is answered within
        # three turns, so that even a flood of newer connections does not end it before.
        self._backlog = self._places // 4
        self._socket = _listen(host.strip("[]"), port, self._backlog)
        self._socket.make_room = self._make_room
        self._socket.keep_spare()
        self.port = int(self._socket.getsockname()[1])
        # The connections' tasks, the oldest first.
        self._open: dict[asyncio.Task[None], None] = {}
        self._stop = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop serving and free the port."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._socket.close()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        server = await asyncio.start_server(
            self._connected, sock=self._socket, limit=MAX_HEAD_BYTES, backlog=self._backlog
        )
        # Those that one turn does not accept wait in the kernel.
        self._socket.listen(_WAITING)
        await self._stop.wait()
        # Nothing more is accepted; what is just being accepted becomes a conversation first, which
        # asyncio's server could not have once it is closed.
        self._loop.remove_reader(self._socket)
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            for conversation in self._open:
                conversation.cancel()
            await asyncio.wait(others)
        server.close()
        # A connection that is ended closes its socket in the loop's next turn.
        await asyncio.sleep(0)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._open) >= self._places:
            self._end_oldest()
        task = asyncio.create_task(self._converse(reader, writer))
        self._open[task] = None

        def end(task: asyncio.Task[None]) -> None:
            self._open.pop(task, None)
            # A closed connection has nothing left to send.
            if not writer.is_closing():
                writer.transport.abort()
            # The loop closes the connection's socket in its next turn.
            self._loop.call_soon(self._loop.call_soon, self._socket.keep_spare)

        # If a task is cancelled before its first step, nothing else of it runs.
        task.add_done_callback(end)

    def _end_oldest(self) -> None:
        oldest = next(iter(self._open))
        del self._open[oldest]
        oldest.cancel()

    def _make_room(self) -> bool:
        """Close the oldest connection, if there is one; its descriptor is free soon."""
        if self._open:
            self._end_oldest()
            return True
        return False

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request and close the connection; abort it if that fails."""
        # Otherwise data that still waits would count as sent.
        writer.transport.set_write_buffer_limits(0)
        with suppress(asyncio.IncompleteReadError, ConnectionError, TimeoutError):
            try:
                async with asyncio.timeout(RECEIVE_S):
                    head = await reader.readuntil(b"\r\n\r\n")
            except asyncio.LimitOverrunError:
                writer.write(_message(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE))
            except TimeoutError:
                writer.write(_message(HTTPStatus.REQUEST_TIMEOUT))
            else:
                writer.write(self._answer(head))
            async with asyncio.timeout(_SEND_S):
                await writer.drain()
            writer.close()

    def _answer(self, head: bytes) -> bytes:
        """Answer a request's head: its first line, its fields and an empty line."""
        lines = BytesIO(head)
        try:
            method, target, _version = lines.readline().decode("ascii").split()
            url, fields = urlsplit(target), parse_headers(lines)
        except (ValueError, HTTPException):
            return _message(HTTPStatus.BAD_REQUEST)
        if method not in {"GET", "HEAD"}:
            return _message(HTTPStatus.METHOD_NOT_ALLOWED, [("Allow", "GET, HEAD")])
        match url.path:
            case "/metrics":
                accepted = (fields.get("Accept", "*/*"), fields.get("Accept-Encoding", ""))
                reply = self._scrape(url.query, *accepted)
            case "/livez" if self._is_alive():
                reply = _text(HTTPStatus.OK, "alive")
            case "/livez":
                reply = _text(HTTPStatus.SERVICE_UNAVAILABLE, "the event loop is stuck")
            case "/readyz" if self._is_ready():
                reply = _text(HTTPStatus.OK, "ready")
            case "/readyz":
                reply = _text(HTTPStatus.SERVICE_UNAVAILABLE, "not ready")
            case _:
                reply = _text(HTTPStatus.NOT_FOUND, "/metrics, /livez, /readyz")
        return _bytes(reply, with_body=method == "GET")

    def _scrape(self, query: str, accept: str, accept_encoding: str) -> _Reply:
        # prometheus_client chooses format and encoding by a WSGI environment.
        environ = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": "/metrics",
            "QUERY_STRING": query,
            "HTTP_ACCEPT": accept,
            "HTTP_ACCEPT_ENCODING": accept_encoding,
        }
        begun: list[tuple[str, list[tuple[str, str]]]] = []

        def start(status: str, headers: list[tuple[str, str]]) -> None:
            begun.append((status, headers))

        body = b"".join(cast("Iterable[bytes]", self._metrics(environ, start)))
        return *begun[0], body


class _Listener(socket.socket):
    """A listening socket that keeps some descriptors, for times when the process has none left.

    Attributes:
        make_room: Called when those are used up; returns whether one will be free soon.
    """

    make_room: Callable[[], bool]

    def __init__(self, family: int, kind: int, protocol: int, fileno: int) -> None:
        super().__init__(family, kind, protocol, fileno)
        self._spare: list[int] = []

    def keep_spare(self) -> None:
        """Take descriptors until the number of spare ones is complete."""
        with suppress(OSError):  # later, then
            while len(self._spare) < _SPARE and self.fileno() >= 0:
                self._spare.append(os.dup(self.fileno()))

    def accept(self) -> tuple[socket.socket, Any]:
        """Accept a connection, on a spare descriptor if no other is free.

        Raises:
            BlockingIOError: There is no descriptor, but there will be one soon.
            OSError: As for any socket.
        """
        try:
            return super().accept()
        except OSError as exc:
            if exc.errno not in {errno.EMFILE, errno.ENFILE}:
                raise
            if self._spare:
                os.close(self._spare.pop())
            elif self.make_room():
                raise BlockingIOError from exc
        return super().accept()

    def close(self) -> None:
        """Close it and its spare descriptors."""
        while self._spare:
            os.close(self._spare.pop())
        super().close()


def _listen(host: str, port: int, backlog: int) -> _Listener:
    family, _, _, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    plain = socket.create_server(address[:2], family=family, backlog=backlog)
    return _Listener(plain.family, plain.type, plain.proto, plain.detach())


def _text(status: HTTPStatus, text: str) -> _Reply:
    return f"{status.value} {status.phrase}", _TEXT, f"{text}\n".encode()


def _message(status: HTTPStatus, headers: Iterable[tuple[str, str]] = ()) -> bytes:
    line, fields, body = _text(status, status.phrase)
    return _bytes((line, [*fields, *headers], body))


def _bytes(reply: _Reply, *, with_body: bool = True) -> bytes:
    status, headers, body = reply
    fields = [*headers, ("Content-Length", str(len(body))), ("Connection", "close")]
    head = "".join(f"{name}: {value}\r\n" for name, value in fields)
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + (body if with_body else b"")
