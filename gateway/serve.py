"""A gateway as the work of a process: from its start to the end of its drain."""

import asyncio
import signal

from gateway.app import Gateway
from gateway.config import GatewayConfig
from gateway.inference.triton import TritonInferenceServer
from gateway.memory import limit_allocator
from gateway.surroundings import Surroundings
from imaging.decode.pillow_warnings import log_oddities


def serve(config: GatewayConfig, around: Surroundings | None = None) -> None:
    """Run a gateway until SIGTERM or SIGINT, then drain it; the log is set up already.

    Args:
        config: Its settings.
        around: As in `Gateway`.

    Raises:
        StartError: It cannot start.
    """
    limit_allocator()
    log_oddities()
    asyncio.run(_run(config, around))


async def _run(config: GatewayConfig, around: Surroundings | None) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    # Triton's channel belongs to the loop that it is made in.
    gateway = Gateway(config, TritonInferenceServer(config.triton), around)
    await gateway.start()
    await stop.wait()
    await gateway.stop()
