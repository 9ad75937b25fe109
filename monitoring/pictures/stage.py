"""A stack under a load that grows from calm to too much, for a Prometheus to watch."""

import asyncio
import contextlib
import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from deploy.local.photos import photos_in
from deploy.local.stack import free_addresses, running
from gateway.accounts.database import open_engine, parse_url
from gateway.accounts.rate import RateLimit
from gateway.accounts.store import KeyStore
from monitoring.prometheus_server import Prometheus, running_prometheus
from packshot import AsyncClient, PackshotError, Scene

# From which part of the time on how many callers ask.
_CALLERS: Final = ((0.0, 1), (0.35, 4), (0.7, 12))
_MEAN_PAUSE_S: Final = 0.1
# Few, so that the last part is too much on any machine.
_MAX_IN_FLIGHT: Final = "8"


@contextmanager
def watched_stack(folder: Path, minutes: float, interval_s: float) -> Iterator[Prometheus]:
    """Run Triton, a gateway with accounts and Prometheus, and load them, before a block.

    Args:
        folder: Where logs and data go; made if missing.
        minutes: How long the load lasts.
        interval_s: Seconds between two scrapes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    database = folder / "accounts.db"
    database.unlink(missing_ok=True)
    url = f"sqlite:///{database.resolve()}"
    environ = {
        **os.environ,
        **free_addresses(),
        "PACKSHOT_ACCOUNTS": url,
        "PACKSHOT_MAX_IN_FLIGHT": _MAX_IN_FLIGHT,
    }
    target = f"127.0.0.1:{environ['PACKSHOT_PORT']}"
    gateways = [f"127.0.0.1:{environ['PACKSHOT_METRICS_PORT']}"]
    tritons = [f"127.0.0.1:{environ['PACKSHOT_TRITON_METRICS_PORT']}"]
    with (
        running(environ, target, folder) as stack,
        running_prometheus(gateways, tritons, folder / "prometheus", interval_s=interval_s) as it,
    ):
        stack.wait_until_ready()
        key = KeyStore(open_engine(parse_url(url))).issue("pictures", 1_000_000, RateLimit(0, 1))
        asyncio.run(_load(target, str(key), minutes * 60))
        yield it


async def _load(target: str, key: str, duration_s: float) -> None:
    photos = [path.read_bytes() for path in photos_in(Path("samples"))]
    rng = random.Random(1)  # noqa: S311  no secret
    start_s = time.monotonic()
    async with (
        AsyncClient(target, timeout_s=20, retries=False, api_key=key) as client,
        AsyncClient(target, timeout_s=5, retries=False, api_key="none") as stranger,
    ):

        def share() -> float:
            return (time.monotonic() - start_s) / duration_s

        async def call(number: int) -> None:
            while share() < 1:
                if number >= max(count for begin, count in _CALLERS if share() >= begin):
                    await asyncio.sleep(_MEAN_PAUSE_S)
                    continue
                with contextlib.suppress(PackshotError):
                    await _ask(client, stranger, rng.choice(photos), rng.random())
                await asyncio.sleep(rng.expovariate(1 / _MEAN_PAUSE_S))

        async def stream() -> None:
            while share() < 1:
                with contextlib.suppress(PackshotError):
                    async for _ in client.render_many(photos[:3], priority="bulk"):
                        pass
                await asyncio.sleep(2)

        await asyncio.gather(stream(), *(call(number) for number in range(_CALLERS[-1][1])))


async def _ask(client: AsyncClient, stranger: AsyncClient, photo: bytes, draw: float) -> None:
    """Ask for one of the things that callers ask for, by a draw between 0 and 1."""
    if draw < 0.03:  # noqa: PLR2004  shares of the mix
        await client.render(b"no photo")
    elif draw < 0.05:  # noqa: PLR2004
        await stranger.models()
    elif draw < 0.4:  # noqa: PLR2004
        await client.render(photo, priority="bulk", preset="amazon-main")
    elif draw < 0.5:  # noqa: PLR2004
        await client.render(photo, background=Scene("marble"), square=True)
    else:
        await client.render(photo)
