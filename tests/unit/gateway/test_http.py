"""The metrics port: bounded against those that send nothing and those that read nothing."""

import gzip
import http.client
import os
import resource
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest
from prometheus_client import CollectorRegistry, Counter

from gateway.observability.http import MAX_CONNECTIONS, MAX_HEAD_BYTES, MetricsServer

OPENMETRICS = "application/openmetrics-text; version=1.0.0"


class Served:
    """A server whose state a test sets."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.is_ready = self.is_alive = True
        self.server = MetricsServer(
            "127.0.0.1", 0, self.registry, lambda: self.is_ready, lambda: self.is_alive
        )

    def ask(
        self, path: str, method: str = "GET", **headers: str
    ) -> tuple[int, bytes, http.client.HTTPResponse]:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=20)
        try:
            connection.request(method, path, headers=headers)
            reply = connection.getresponse()
            return reply.status, reply.read(), reply
        finally:
            connection.close()

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.server.port), 20)


@pytest.fixture
def served() -> Iterator[Served]:
    served = Served()
    yield served
    served.server.close()


def test_what_is_asked_for_is_answered(served: Served) -> None:
    Counter("photos", "Photos.", registry=served.registry).inc()
    assert served.ask("/livez")[:2] == (200, b"alive\n")
    assert served.ask("/readyz")[:2] == (200, b"ready\n")
    assert served.ask("/readyz?verbose")[0] == 200
    assert served.ask("/")[0] == 404
    status, text, reply = served.ask("/metrics")
    assert (status, reply.getheader("Content-Length")) == (200, str(len(text)))
    assert b"photos_total 1.0" in text
    assert served.ask("/metrics", Accept=OPENMETRICS)[1].endswith(b"# EOF\n")
    status, packed, reply = served.ask("/metrics", **{"Accept-Encoding": "gzip"})
    assert reply.getheader("Content-Encoding") == "gzip"
    assert gzip.decompress(packed) == text
    assert served.ask("/livez", "HEAD")[:2] == (200, b"")
    assert served.ask("/livez", "POST")[0] == 405


def test_liveness_and_readiness_are_those_of_the_moment(served: Served) -> None:
    served.is_ready = served.is_alive = False
    assert (served.ask("/livez")[0], served.ask("/readyz")[0]) == (503, 503)
    served.is_ready = served.is_alive = True
    assert (served.ask("/livez")[0], served.ask("/readyz")[0]) == (200, 200)


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"nonsense\r\n\r\n", b" 400 "),
        (b"GET /livez\r\n\r\n", b" 400 "),
        (b"GET http://[/ HTTP/1.1\r\n\r\n", b" 400 "),
        (b"\xff\xfe /livez HTTP/1.1\r\n\r\n", b" 400 "),
        (b"GET /livez HTTP/1.1\r\n" + 200 * b"A: b\r\n" + b"\r\n", b" 400 "),
        (b"GET /livez HTTP/1.1\r\nA: " + MAX_HEAD_BYTES * b"b" + b"\r\n\r\n", b" 431 "),
        (b"GET /" + 2 * MAX_HEAD_BYTES * b"a", b" 431 "),
    ],
)
def test_a_head_that_is_broken_or_too_long_is_refused(
    served: Served, head: bytes, status: bytes
) -> None:
    with served.connect() as stranger:
        stranger.sendall(head)
        assert status in stranger.recv(100)
    assert served.ask("/livez")[0] == 200


def test_those_that_stay_silent_are_told_and_ended(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.observability.http.RECEIVE_S", 0.2)
    with served.connect() as silent, served.connect() as slow:
        slow.sendall(b"GET /livez HTT")
        for stranger in (silent, slow):
            assert b" 408 " in stranger.recv(1000)
            while stranger.recv(1000):
                pass


def test_those_that_read_nothing_are_ended(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.observability.http._SEND_S", 0.2)
    counter = Counter("many", "Many.", ["name"], registry=served.registry)
    for number in range(10_000):
        counter.labels(f"{number} {'x' * 1000}")
    with served.connect() as stranger:
        stranger.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
        until_s = time.monotonic() + 30
        while served.server._open and time.monotonic() < until_s:  # noqa: SLF001
            time.sleep(0.05)
        assert not served.server._open  # noqa: SLF001
        # No more than what the kernel had taken for it.
        received = 0
        while part := stranger.recv(2**20):
            received += len(part)
    assert received < 20_000_000


def test_500_silent_connections_cost_no_thread_and_keep_nobody_waiting(served: Served) -> None:
    before = threading.active_count()
    with ExitStack() as stack:
        for number in range(500):
            stranger = stack.enter_context(served.connect())
            if number % 2:
                stranger.sendall(b"GET /metr")
            if number % 50 == 0:
                assert served.ask("/livez")[0] == 200
        assert served.ask("/metrics")[0] == 200
        assert served.ask("/readyz")[0] == 200
        assert threading.active_count() <= before
        assert len(served.server._open) <= MAX_CONNECTIONS  # noqa: SLF001


def test_it_closes_though_strangers_are_connected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.observability.http.RECEIVE_S", 3600.0)
    served = Served()
    with served.connect(), served.connect():
        served.server.close()
    with pytest.raises(ConnectionRefusedError):
        served.connect()


def test_readiness_is_told_while_connections_take_every_descriptor() -> None:
    """Kept descriptors let a scrape in; what stays silent on them gives way."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    yes = lambda: True  # noqa: E731
    server = MetricsServer("127.0.0.1", 0, CollectorRegistry(), yes, yes)
    with ExitStack() as held:
        held.callback(server.close)
        held.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        sockets = [held.enter_context(socket.socket()) for _ in range(12)]
        last = held.enter_context(open("/dev/null")).fileno()  # noqa: PTH123  its number counts
        resource.setrlimit(resource.RLIMIT_NOFILE, (last + 1, hard))
        with suppress(OSError):
            while True:
                held.callback(os.close, os.open("/dev/null", os.O_RDONLY))
        for each in sockets:
            each.settimeout(20)
            each.connect(("127.0.0.1", server.port))
        sockets[-1].sendall(b"GET /readyz HTTP/1.1\r\n\r\n")
        assert sockets[-1].recv(4096).startswith(b"HTTP/1.1 200")


def test_a_port_in_use_is_an_error(served: Served) -> None:
    with pytest.raises(OSError, match="in use"):
        MetricsServer("127.0.0.1", served.server.port, served.registry, lambda: True, lambda: True)
