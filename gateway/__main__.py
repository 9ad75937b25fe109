"""`python -m gateway`: run the gateway; `python -m gateway keys`: look after its API keys."""

import asyncio
import os
import signal
import sys

from gateway.accounts import cli as keys_cli
from gateway.app import Gateway
from gateway.config import GatewayConfig
from gateway.inference.triton import TritonInferenceServer
from gateway.memory import limit_allocator
from gateway.start import StartError
from imaging.decode.pillow_warnings import log_oddities
from processes.logs import set_up_logging
from processes.settings import SettingError, load


async def _run(config: GatewayConfig) -> None:
    """Run a gateway until SIGTERM or SIGINT, then drain it."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    # Triton's channel belongs to the loop that it is made in.
    gateway = Gateway(config, TritonInferenceServer(config.triton))
    await gateway.start()
    await stop.wait()
    await gateway.stop()


def main() -> int:
    """Run until told to stop; returns the exit status: 0 drained, 1 cannot start, 2 usage."""
    if sys.argv[1:2] == ["keys"]:
        return keys_cli.main(sys.argv[2:])
    try:
        config = load(GatewayConfig, os.environ, sys.argv[1:], prog="python -m gateway")
    except SettingError as exc:
        print(f"error: {exc}", file=sys.stderr)  # noqa: T201
        return 2
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        # The client library would turn to files then, and lose exemplars and figures on the way.
        print(  # noqa: T201
            "error: PROMETHEUS_MULTIPROC_DIR is set, but each gateway keeps its own metrics, on a "
            "port of its own: unset it",
            file=sys.stderr,
        )
        return 2
    set_up_logging(config.log_level, config.log_format)
    limit_allocator()
    log_oddities()
    try:
        asyncio.run(_run(config))
    except StartError as exc:
        print(f"error: {exc}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
