"""A way to a server on which answers can get lost: bytes go up, and do not come down."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass(slots=True)
class DeafProxy:
    """A proxy on loopback for one server.

    Attributes:
        port: Where it listens.
        lost: Set as soon as it has begun to lose answers.
    """

    port: int
    lost: threading.Event = field(default_factory=threading.Event)
    _sockets: list[socket.socket] = field(default_factory=list)
    _words: tuple[bytes, ...] = ()
    _deaf: bool = False

    def lose_answers_after(self, *words: bytes) -> None:
        """Lose all answers from the moment on in which a connection has sent these, in order."""
        self._words = words

    def heal(self) -> None:
        """Break the connections off, and let the answers of new ones through."""
        self._words = ()
        self._deaf = False
        for each in self._sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _pass_up(self, client: socket.socket, server: socket.socket) -> None:
        reached = 0
        with suppress(OSError):
            while data := client.recv(65536):
                if b"ROLLBACK" in data:
                    reached = 0
                while self._words and reached < len(self._words) and self._words[reached] in data:
                    reached += 1
                if self._words and reached == len(self._words):
                    self._deaf = True
                    self.lost.set()
                server.sendall(data)
        _break_off(client, server)

    def _pass_down(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(65536):
                if not self._deaf:
                    client.sendall(data)
        _break_off(client, server)


@contextmanager
def deaf_proxy(server_port: int) -> Iterator[DeafProxy]:
    """Run a proxy to a server on loopback for the time of a block."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = DeafProxy(listener.getsockname()[1])
        threads: list[threading.Thread] = []

        def accept() -> None:
            with suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    server = socket.create_connection(("127.0.0.1", server_port))
                    proxy._sockets += [client, server]  # noqa: SLF001  it is of this module
                    for work, ends in (
                        (proxy._pass_up, (client, server)),  # noqa: SLF001
                        (proxy._pass_down, (server, client)),  # noqa: SLF001
                    ):
                        threads.append(threading.Thread(target=work, args=ends))
                        threads[-1].start()

        accepting = threading.Thread(target=accept)
        accepting.start()
        try:
            yield proxy
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            accepting.join()
            proxy.heal()
            for thread in threads:
                thread.join()
            for each in proxy._sockets:  # noqa: SLF001
                each.close()


def _break_off(*ends: socket.socket) -> None:
    for each in ends:
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
