"""The accounts of one gateway, from start to stop."""

import asyncio
import logging
import os
import socket
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from gateway.accounts.credits import CreditStore
from gateway.accounts.database import open_engine, parse_url, threads
from gateway.accounts.holds import DatabaseCreditHolds
from gateway.accounts.leases import HoldLeases
from gateway.accounts.migrate import migrate, newest_revision, present_revision
from gateway.accounts.rate import Rates
from gateway.accounts.store import KeyStore
from gateway.accounts.threads import DatabaseThreads
from gateway.accounts.upkeep import Upkeep
from gateway.observability.calls import Calls
from gateway.observability.metrics import Metrics
from gateway.rpc.auth_interceptor import AuthInterceptor
from gateway.start import StartError

log = logging.getLogger(__name__)

# For telling the database what is left to be told, when the gateway stops.
_DRAIN_S: Final = 2.0


class Accounts:
    """Opens the database and keeps what works on it.

    Args:
        url: The database's URL.
        service: Full name of the service that keys are wanted for.
        metrics: Where charges and times go.
        calls: Sees the calls refused.
        rates: Counts the calls of each key.

    Attributes:
        interceptor: Lets calls in.
        holds: Holds a credit around each render.
    """

    def __init__(
        self, url: str, service: str, metrics: Metrics, calls: Calls, rates: Rates
    ) -> None:
        parsed = parse_url(url)
        self._engine = open_engine(parsed)
        self._threads = DatabaseThreads(threads(parsed), metrics)
        keys = KeyStore(self._engine)
        store = CreditStore(self._engine, f"{socket.gethostname()}:{os.getpid()}")
        self._upkeep = Upkeep(store, HoldLeases(self._engine), self._threads, metrics)
        self.interceptor = AuthInterceptor(service, keys, self._threads, calls, rates)
        self.holds = DatabaseCreditHolds(keys, store, self._upkeep, self._threads, metrics)

    async def start(self) -> None:
        """Make sure of the tables, and begin to look after the holds.

        Raises:
            StartError: The database is away, or its tables are another version's.
        """
        await asyncio.to_thread(prepare, self._engine)
        self._keeping = asyncio.create_task(self._upkeep.run())

    async def stop(self) -> None:
        """Return what is to be returned, as far as the database answers, and close it."""
        self._keeping.cancel()
        await asyncio.gather(self._keeping, return_exceptions=True)
        await self._upkeep.drain(_DRAIN_S)
        await asyncio.to_thread(self._threads.close)
        self._engine.dispose()


def prepare(engine: Engine) -> None:
    """Make sure that a database has this version's tables; SQLite's are made where they lack.

    A PostgreSQL that other gateways use is not changed under them: an operator decides when.

    Raises:
        StartError: It is away, or its tables are another version's.
    """
    shown = engine.url.render_as_string(hide_password=True)
    try:
        if engine.dialect.name == "sqlite":
            migrate(engine)
        revision = present_revision(engine)
    except SQLAlchemyError as exc:
        raise StartError(f"the accounts at {shown} cannot be opened: {exc}") from exc
    if revision != newest_revision():
        raise StartError(
            f"the accounts at {shown} have the tables of revision {revision}, not "
            f"{newest_revision()}: run `python -m gateway keys migrate`"
        )
