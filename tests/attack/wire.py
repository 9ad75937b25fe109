"""One HTTP/2 connection written by hand: it leaves unfinished what a gRPC library would finish."""

import socket
import ssl
import struct
import time
from collections.abc import Iterable
from types import TracebackType
from typing import Final, Self

import h2.config
import h2.connection
import h2.events
import h2.exceptions

from tests.attack.target import Target

# Attacks come from here, so that a caller at 127.0.0.1 is somebody else.
SOURCE: Final = "127.0.0.66"
PACKSHOT: Final = "/packshot.v1.PackshotService/"
HEALTH: Final = "/grpc.health.v1.Health/"
REFLECTION: Final = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
_READ_BYTES: Final = 1 << 18


class Gone(Exception):  # noqa: N818  what happened, not a fault of the attack's
    """The gateway has closed the connection."""


class Wire:
    """One connection to the gateway.

    Args:
        target: The gateway.
        source: The address to come from.
        takes: Whether it lets replies come; if not, each call's reply has a window of 65 535 bytes
            and no more.
        timeout_s: How long one read or write may take.
    """

    def __init__(
        self, target: Target, source: str = SOURCE, *, takes: bool = True, timeout_s: float = 10
    ) -> None:
        host, _, port = target.address.rpartition(":")
        raw = socket.create_connection((host, int(port)), timeout_s, (source, 0))
        if target.ca:
            context = ssl.create_default_context(cafile=str(target.ca))
            context.set_alpn_protocols(["h2"])
            self.socket: socket.socket = context.wrap_socket(raw, server_hostname="localhost")
        else:
            self.socket = raw
        self._headers = [("authorization", f"Bearer {target.api_key}")] if target.api_key else []
        self._takes = takes
        self._timeout_s = timeout_s
        self.http = h2.connection.H2Connection(
            h2.config.H2Configuration(client_side=True, validate_outbound_headers=False)
        )
        self.http.initiate_connection()
        self.statuses: dict[int, tuple[int, str]] = {}
        self.received: dict[int, int] = {}
        self.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.socket.close()

    def flush(self) -> None:
        """Write what HTTP/2 has to say.

        Raises:
            Gone: The connection is closed.
        """
        try:
            self.socket.sendall(self.http.data_to_send())
        except OSError as exc:
            raise Gone(str(exc)) from exc

    def call(self, path: str, *more: tuple[str, str]) -> int:
        """Open a call; its message is sent apart."""
        try:
            stream = self.http.get_next_available_stream_id()
            headers = [(":method", "POST"), (":scheme", "http"), (":path", path)]
            headers += [(":authority", "localhost"), ("te", "trailers")]
            headers += [("content-type", "application/grpc"), *self._headers, *more]
            self.http.send_headers(stream, headers)
        except h2.exceptions.ProtocolError as exc:
            raise Gone(str(exc)) from exc
        self.flush()
        return stream

    def send(self, stream: int, data: bytes | memoryview, *, end: bool, within_s: float) -> bool:
        """Send data as far as the gateway lets it; return whether all has gone."""
        view, end_s = memoryview(data), time.monotonic() + within_s
        while view:
            if stream in self.statuses or time.monotonic() > end_s:
                return False
            room = self.window(stream)
            if not room:
                self.pump(0.05)
                continue
            try:
                size = min(room, self.http.max_outbound_frame_size, len(view))
                last = end and size == len(view)
                self.http.send_data(stream, view[:size].tobytes(), end_stream=last)
            except h2.exceptions.ProtocolError:
                return False
            view = view[size:]
            self.flush()
        return True

    def window(self, stream: int) -> int:
        """Return how many bytes of a call the gateway would take now."""
        try:
            return self.http.local_flow_control_window(stream)
        except h2.exceptions.ProtocolError:
            return 0

    def pump(self, within_s: float) -> None:
        """Take what comes within a time, and note how calls end.

        Raises:
            Gone: The connection is closed.
        """
        self.socket.settimeout(max(within_s, 0.001))
        try:
            data = self.socket.recv(_READ_BYTES)
        except TimeoutError:
            return
        except OSError as exc:
            raise Gone(str(exc)) from exc
        finally:
            self.socket.settimeout(self._timeout_s)
        if not data:
            raise Gone("closed")
        try:
            self._note(self.http.receive_data(data))
        except h2.exceptions.ProtocolError as exc:
            raise Gone(str(exc)) from exc
        self.flush()

    def status(self, stream: int, within_s: float) -> tuple[int, str] | None:
        """Return how a call ends: its gRPC status and message; None: not in that time."""
        end_s = time.monotonic() + within_s
        while stream not in self.statuses and time.monotonic() < end_s:
            self.pump(min(0.1, within_s))
        return self.statuses.get(stream)

    def _note(self, events: Iterable[h2.events.Event]) -> None:
        for event in events:
            if isinstance(event, h2.events.DataReceived) and event.stream_id:
                length = event.flow_controlled_length or 0
                self.received[event.stream_id] = self.received.get(event.stream_id, 0) + length
                if self._takes and length:
                    self._acknowledge(length, event.stream_id)
            elif isinstance(event, h2.events.ResponseReceived | h2.events.TrailersReceived):
                headers = dict(event.headers or [])
                if b"grpc-status" in headers and event.stream_id:
                    message = headers.get(b"grpc-message", b"").decode()
                    self.statuses[event.stream_id] = int(headers[b"grpc-status"]), message
            elif isinstance(event, h2.events.StreamReset) and event.stream_id:
                self.statuses.setdefault(event.stream_id, (-1, f"reset {event.error_code}"))
            elif isinstance(event, h2.events.ConnectionTerminated):
                raise Gone(f"GOAWAY {event.error_code}")

    def _acknowledge(self, length: int, stream: int) -> None:
        try:
            self.http.acknowledge_received_data(length, stream)
        except h2.exceptions.ProtocolError:
            # The call has ended meanwhile; the connection's own window goes on.
            self.http.increment_flow_control_window(length)


def framed(message: bytes) -> bytes:
    """Return a message as gRPC frames it."""
    return b"\0" + struct.pack(">I", len(message)) + message


def beginning(length: int, sent: int) -> bytes:
    """Return the frame of a message of a length, of which only so many bytes come."""
    return b"\0" + struct.pack(">I", length) + bytes(sent)
