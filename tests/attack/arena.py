"""The service that is attacked: a real gateway before a real Triton, with small bounds."""

import os
import shlex
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from gateway.config import GatewayConfig
from packshot import Client, PackshotError
from processes.ready import free_ports
from processes.server import ServerProcess
from processes.settings import load
from tests.attack.target import Target
from tests.integration.processes import Triton, start_server
from tests.support.accounts import Books, books_at
from tests.support.certificates import Authority
from tests.support.postgres import temporary_postgres

# Bounds that an attack can reach on a small machine, and a memory ceiling that it could break.
BOUNDS: Mapping[str, str] = {
    "PACKSHOT_MAX_PHOTO_PIXELS": "6000000",
    "PACKSHOT_MAX_PIXELS_IN_FLIGHT": "24000000",
    "PACKSHOT_MAX_BYTES_IN_FLIGHT": str(72 * 2**20),
    "PACKSHOT_MAX_RECEIVING": "8",
    "PACKSHOT_MAX_STREAMS": "8",
    "PACKSHOT_DRAIN_TIMEOUT_S": "3",
    "PACKSHOT_DEFAULT_MODEL": "matte-int8",
}
CREDITS = 1_000_000
_START_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Setup:
    """How the gateway of one attack is set up.

    Attributes:
        tls: Whether its gRPC port speaks TLS.
        accounts: The database of its accounts; "": no accounts.
        open_files: The most files that it may open; None: as many as this process.
        unread_log: Whether its standard error is a pipe that nobody reads.
        environ: Further settings.
    """

    tls: bool = False
    accounts: Literal["", "sqlite", "postgresql"] = ""
    open_files: int | None = None
    unread_log: bool = False
    environ: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Arena:
    """A gateway under attack.

    Attributes:
        gateway: Its process.
        attacked: What the attack is told.
        polite: What the polite caller is told: the same with a key of its own.
        books: The accounts; None: there are none.
        ceiling_bytes: What its memory is to stay below.
        drain_timeout_s: The time that it has to end calls in flight, s.
    """

    gateway: ServerProcess
    attacked: Target
    polite: Target
    books: Books | None
    ceiling_bytes: int
    drain_timeout_s: float

    def client(self, target: Target) -> Client:
        """Return a client of the gateway, to be closed by the caller."""
        return client_of(target)

    def is_ready(self) -> bool:
        """Whether health says SERVING."""
        try:
            with client_of(self.polite) as client:
                return client.healthy()
        except PackshotError:
            return False


def client_of(target: Target, address: str | None = None) -> Client:
    """Return a client of a gateway, by another address if one is given."""
    return Client(
        address or target.address,
        ca=target.ca,
        api_key=target.api_key,
        timeout_s=10.0,
    )


@contextmanager
def open_arena(triton: Triton, setup: Setup, folder: Path) -> Iterator[Arena]:
    """Run a gateway for one attack; the process is ended with the block, in whatever state it is.

    Args:
        triton: The Triton before which it stands.
        setup: How it is set up.
        folder: Where its log, certificates and database go.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port, metrics_port = free_ports(2)
    environ = {
        **BOUNDS,
        "PACKSHOT_PORT": str(port),
        "PACKSHOT_METRICS_PORT": str(metrics_port),
        "PACKSHOT_TRITON": triton.grpc_address,
        **setup.environ,
    }
    with ExitStack() as held:
        ca = None
        if setup.tls:
            authority, ca = Authority(), folder / "ca.crt"
            ca.write_bytes(authority.certificate)
            certificate, key = authority.sign().write(folder, "server")
            environ |= {"PACKSHOT_TLS_CERT": str(certificate), "PACKSHOT_TLS_KEY": str(key)}
        books = keys = url = None
        if setup.accounts:
            url = f"sqlite:///{folder}/accounts.db"
            if setup.accounts == "postgresql":
                url = held.enter_context(temporary_postgres()).url
            books = held.enter_context(books_at(url))
            keys = books.issue(CREDITS), books.issue(CREDITS)
            environ["PACKSHOT_ACCOUNTS"] = url
        config = load(GatewayConfig, environ, [], prog="python -m gateway")
        command = [sys.executable, "-m", "gateway"]
        redirect = ""
        if setup.unread_log:
            redirect = f"2> {shlex.quote(str(_unread_pipe(folder, held)))}"
        limit = f"ulimit -n {setup.open_files};" if setup.open_files else ""
        shell = ["bash", "-c", f'{limit} exec "$@" {redirect}', "bash", *command]
        gateway = start_server("python -m gateway", shell, folder / "gateway.log", environ)
        held.callback(gateway.kill)
        addresses = f"127.0.0.1:{port}", f"127.0.0.1:{metrics_port}"
        attacked, polite = (
            Target(*addresses, gateway.pid, ca, key, url) for key in (keys or (None, None))
        )
        arena = Arena(
            gateway,
            attacked,
            polite,
            books,
            config.memory_ceiling_bytes,
            config.drain_timeout_s,
        )
        gateway.wait_until(arena.is_ready, _START_TIMEOUT_S)
        yield arena


def _unread_pipe(folder: Path, held: ExitStack) -> Path:
    """Make a pipe with a reader that never reads."""
    path = folder / "stderr"
    os.mkfifo(path)
    held.callback(os.close, os.open(path, os.O_RDONLY | os.O_NONBLOCK))
    return path
