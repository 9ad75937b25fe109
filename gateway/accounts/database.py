"""How a database is reached: SQLite in a file, or PostgreSQL, by its URL."""

import sqlite3
import time
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import QueuePool

from gateway.accounts.bounded import READ_LIMIT_S, BoundedConnection

# SQLite has one writer, so more threads would only wait for each other.
_THREADS: Final = {"sqlite": 1, "postgresql": 4}

# A statement takes about a millisecond: one that takes this long has met a database in trouble.
STATEMENT_TIMEOUT_S: Final = 2.0

# What a gateway that stands still in the middle of a transaction keeps locked is free after this.
_IDLE_TIMEOUT_S: Final = 5.0

# A peer that is gone without a word is found out while a connection idles: after 5 s without
# traffic it is asked, three times in all.
_KEEPALIVE: Final = {
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
}

# A migration takes longer, and so does waiting for another process's.
_LONG_TIMEOUT_S: Final = 60.0

_RETRY_S: Final = 0.01

# In what SQLAlchemy keeps with a connection: how long it waits, if not STATEMENT_TIMEOUT_S.
_WAIT_KEY: Final = "wait_s"


def parse_url(text: str) -> URL:
    """Read a database's URL.

    Args:
        text: `sqlite:///FILE` (four slashes for an absolute path) or
            `postgresql://USER:PASSWORD@HOST:PORT/NAME`.

    Raises:
        ValueError: It is neither; the message does not repeat it, since a password may be in it.
    """
    forms = "it must be sqlite:///FILE or postgresql://USER:PASSWORD@HOST:PORT/NAME"
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise ValueError(f"not a database URL; {forms}") from None
    if url.drivername == "sqlite":
        if not url.database or url.database == ":memory:":
            raise ValueError(f"accounts in memory would end with the process; {forms}")
        return url
    if url.drivername in ("postgres", "postgresql", "postgresql+psycopg"):
        return url.set(drivername="postgresql+psycopg")
    raise ValueError(f"databases of the kind {url.drivername!r} are not supported; {forms}")


def threads(url: URL) -> int:
    """Return how many operations may be under way in it at once."""
    return _THREADS[url.get_backend_name()]


def open_engine(url: URL) -> Engine:
    """Return the engine of a database; nothing is connected yet."""
    if url.get_backend_name() == "sqlite":
        engine = create_engine(
            url,
            poolclass=QueuePool,
            pool_size=threads(url),
            connect_args={"timeout": STATEMENT_TIMEOUT_S, "check_same_thread": False},
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    timeout_ms = round(STATEMENT_TIMEOUT_S * 1000)
    engine = create_engine(
        url,
        pool_size=threads(url),
        max_overflow=0,
        pool_timeout=STATEMENT_TIMEOUT_S,
        # A connection that a restarted server has closed is noticed before it is used.
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": round(STATEMENT_TIMEOUT_S),
            "tcp_user_timeout": timeout_ms,
            **_KEEPALIVE,
            "options": f"-c statement_timeout={timeout_ms} -c lock_timeout={timeout_ms} "
            f"-c idle_in_transaction_session_timeout={round(_IDLE_TIMEOUT_S * 1000)}",
        },
    )
    event.listen(engine, "do_connect", _connect_postgresql)
    event.listen(engine, "begin", _begin_postgresql)
    return engine


def async_commit(engine: Engine) -> Engine:
    """Return the same database for transactions that a power cut may undo.

    They do not wait for the disk. The next transaction that does takes them along, since both
    databases write one log in order.
    """
    return engine.execution_options(async_commit=True)


def no_time_limit(engine: Engine) -> Engine:
    """Return the same database for transactions that may wait for a long one of another process."""
    return engine.execution_options(no_time_limit=True)


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    level = "NORMAL" if options.get("async_commit") else "FULL"
    connection.exec_driver_sql(f"PRAGMA synchronous = {level}")
    wait_s = _LONG_TIMEOUT_S if options.get("no_time_limit") else STATEMENT_TIMEOUT_S
    # Only where it changes: a statement more would be felt in every async_commit transaction.
    if connection.info.get(_WAIT_KEY, STATEMENT_TIMEOUT_S) != wait_s:
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {wait_s * 1000:.0f}")
        connection.info[_WAIT_KEY] = wait_s
    # Taking the writer's lock at once cannot fail half way, as a reader's attempt to become a
    # writer can, whatever the busy timeout.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _connect_postgresql(
    _dialect: object, _record: object, arguments: list[Any], parameters: dict[str, Any]
) -> BoundedConnection:
    return BoundedConnection.connect(*arguments, **parameters)


def _begin_postgresql(connection: Connection) -> None:
    options = connection.get_execution_options()
    raw: object = connection.connection.dbapi_connection
    assert isinstance(raw, BoundedConnection)  # noqa: S101  narrows the driver's type
    raw.read_limit_s = None if options.get("no_time_limit") else READ_LIMIT_S
    if options.get("async_commit"):
        connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
    if options.get("no_time_limit"):
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        connection.exec_driver_sql("SET LOCAL lock_timeout = 0")


def _prepare_sqlite(connection: Any, _record: object) -> None:
    assert isinstance(connection, sqlite3.Connection)  # noqa: S101  narrows the driver's type
    # The driver begins no transactions of its own: `_begin_sqlite` does.
    connection.isolation_level = None
    _switch_to_wal(connection)
    connection.execute("PRAGMA foreign_keys = ON")


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """Have a database write ahead; of several processes that open a new one, the first does it.

    SQLite does not wait here, whatever the busy timeout: two that have begun to switch could wait
    for each other. So this tries again.
    """
    give_up = time.monotonic() + STATEMENT_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as exc:
            # The primary code is the last byte: SQLite tells several kinds of busy apart.
            if exc.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                raise
            time.sleep(_RETRY_S)
        else:
            return
