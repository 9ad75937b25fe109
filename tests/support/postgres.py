"""A temporary PostgreSQL server: in a folder of its own, on a socket and a free port."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from processes.ready import free_ports

_DEBIAN = Path("/usr/lib/postgresql")
_STOP_TIMEOUT_S = 30.0


class NoPostgresError(Exception):
    """This machine has no PostgreSQL server; the message says what to install."""


@dataclass(frozen=True, slots=True)
class TemporaryPostgres:
    """A running server."""

    url: str  # its database, as PACKSHOT_ACCOUNTS takes it
    folder: Path  # its data and its log
    binaries: Path  # its programs' folder

    def stop(self) -> None:
        """Stop it at once, with connections open, as a failing machine would."""
        self._control("stop", "-m", "immediate", "-t", f"{_STOP_TIMEOUT_S:g}")

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._control("start", "-w", "-l", str(self.folder / "log"))

    def _control(self, *arguments: str) -> None:
        _as_owner(self.binaries / "pg_ctl", "-D", str(self.folder / "data"), *arguments)


@contextmanager
def temporary_postgres() -> Iterator[TemporaryPostgres]:
    """Run a PostgreSQL for the time of a block, and remove it after.

    Raises:
        NoPostgresError: There is none installed.
    """
    binaries = _find_binaries()
    # A socket's path is short, and a path of pytest's is not.
    folder = Path(tempfile.mkdtemp(prefix="packshot-pg-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        _as_owner(
            *(binaries / "initdb", "-D", str(folder / "data"), "-U", "packshot"),
            *("-A", "trust", "-E", "UTF8", "--no-locale"),
        )
        (port,) = free_ports(1)
        settings = folder / "data" / "postgresql.conf"
        with settings.open("a") as file:
            file.write(
                f"port = {port}\nlisten_addresses = '127.0.0.1'\n"
                f"unix_socket_directories = '{folder}'\n"
            )
        server = TemporaryPostgres(
            f"postgresql://packshot@127.0.0.1:{port}/postgres", folder, binaries
        )
        server.start()
        try:
            yield server
        finally:
            if (folder / "data" / "postmaster.pid").exists():
                server.stop()
    finally:
        shutil.rmtree(folder)


def _find_binaries() -> Path:
    on_path = shutil.which("initdb")
    found = [Path(on_path).parent] if on_path else []
    # Debian keeps each version's programs in a folder of its own, off the path.
    versions = [path for path in _DEBIAN.glob("*") if (path / "bin" / "initdb").exists()]
    found += [path / "bin" for path in sorted(versions, key=lambda path: float(path.name))[::-1]]
    if not found:
        raise NoPostgresError(f"no PostgreSQL server on the path or below {_DEBIAN}: install it")
    return found[0]


def _as_owner(program: Path, *arguments: str) -> None:
    """Run one of the server's programs; it refuses to be run by root."""
    user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    done = subprocess.run(
        [program, *arguments],
        user=user if os.geteuid() == 0 else None,
        cwd="/",
        env={"PATH": os.environ["PATH"], "HOME": "/", "LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        # The server keeps what it inherits; a pipe would never see its end.
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{program} ended with status {done.returncode}; as {user}")
