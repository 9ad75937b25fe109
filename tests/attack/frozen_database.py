"""The accounts' database stands still, breaks connections off, or loses its processes.

PostgreSQL: the processes behind the gateway's connections are stopped and continued, and so is the
whole server; connections are ended by the server; a process is killed, whereupon the server ends
all others and recovers. SQLite: the writer's lock is taken for longer than anybody waits.
"""

import os
import random
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress

import psutil
import psycopg
from sqlalchemy.engine import make_url

from tests.attack.target import Target

_QUIET_S = 1.5
_STILL_S = 4.0


def attack(target: Target, seconds: float) -> str:
    """Attack the database of a gateway's accounts.

    Raises:
        ValueError: The target keeps no accounts.
    """
    if target.accounts is None:
        raise ValueError("the target keeps no accounts")
    url = make_url(target.accounts)
    if url.get_backend_name() == "sqlite":
        return _lock(str(url.database), seconds)
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    return _break(address, seconds)


def _lock(file: str, seconds: float) -> str:
    """Hold the writer's lock of a file of SQLite's, again and again."""
    give_up_s = time.monotonic() + seconds
    locked = 0
    with closing(sqlite3.connect(file, isolation_level=None, timeout=_STILL_S)) as connection:
        while time.monotonic() + _QUIET_S + _STILL_S < give_up_s or not locked:
            time.sleep(_QUIET_S)
            connection.execute("BEGIN IMMEDIATE")
            time.sleep(_STILL_S)
            connection.execute("COMMIT")
            locked += 1
    return f"locked {file} {locked} times for {_STILL_S:g} s"


def _break(address: str, seconds: float) -> str:
    """Do one thing after the other to a PostgreSQL's processes."""
    kinds: dict[str, Callable[[str], None]] = {
        "connections stopped": _stop_connections,
        "connections ended": _end_connections,
        "server stopped": _stop_server,
        "process killed": _kill_one,
    }
    give_up_s = time.monotonic() + seconds
    done: Counter[str] = Counter()
    while not done or time.monotonic() + _QUIET_S + _STILL_S < give_up_s:
        for name, act in kinds.items():
            if done and time.monotonic() + _QUIET_S + _STILL_S > give_up_s:
                break
            time.sleep(_QUIET_S)
            act(address)
            done[name] += 1
    return ", ".join(f"{count} times {name}" for name, count in done.items())


def _stop_connections(address: str) -> None:
    with stopped(connection_pids(address)):
        time.sleep(_STILL_S)


def _stop_server(address: str) -> None:
    with stopped(server_pids(address)):
        time.sleep(_STILL_S)


def _end_connections(address: str) -> None:
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )


def _kill_one(address: str) -> None:
    pids = connection_pids(address)
    if pids:
        with suppress(ProcessLookupError):
            os.kill(random.choice(pids), signal.SIGKILL)  # noqa: S311  a choice, no secret
    wait_until_it_answers(address)


def connection_pids(address: str) -> list[int]:
    """Return the processes of a server that serve others' connections."""
    with psycopg.connect(address) as connection:
        rows = connection.execute(
            "SELECT pid FROM pg_stat_activity "
            "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        return [pid for (pid,) in rows]


def server_pids(address: str) -> list[int]:
    """Return a server's main process and all of its children."""
    with psycopg.connect(address) as connection:
        row = connection.execute("SELECT pg_backend_pid()").fetchone()
        assert row
        main = psutil.Process(row[0]).parent()
    assert main
    return [main.pid, *(child.pid for child in main.children())]


@contextmanager
def stopped(pids: list[int]) -> Iterator[None]:
    """Have processes stand still for the time of a block."""
    try:
        _signal(pids, signal.SIGSTOP)
        yield
    finally:
        _signal(pids, signal.SIGCONT)


def wait_until_it_answers(address: str, timeout_s: float = 30) -> None:
    """Wait until a server that has lost a process has recovered.

    Raises:
        TimeoutError: It has not, in time.
    """
    give_up_s = time.monotonic() + timeout_s
    while time.monotonic() < give_up_s:
        with suppress(psycopg.OperationalError), psycopg.connect(address, connect_timeout=2) as one:
            one.execute("SELECT 1")
            return
        time.sleep(0.1)
    raise TimeoutError(f"the database did not recover within {timeout_s:g} s")


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
