"""`python -m web`: run the HTTP face."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final

import uvicorn

from processes.logs import set_up_logging
from processes.settings import SettingError, load
from web.app import make_app
from web.config import WebConfig
from web.protocol import TimedProtocol

log = logging.getLogger("web")

# Beyond what has a place: watchers, and callers to be told that there is none.
_MORE_CONNECTIONS: Final = 256


class _Server(uvicorn.Server):
    """uvicorn's server, whose end is told by `main`, not by a signal that it raises anew."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        yield

    def _stop(self) -> None:
        # The second time, nobody is waited for.
        self.force_exit = self.should_exit
        self.should_exit = True


async def _run(config: WebConfig) -> bool:
    """Run a face until SIGTERM or SIGINT, then drain it; returns whether it could start."""
    server = _Server(
        uvicorn.Config(
            make_app(config),
            host=config.host,
            port=config.port,
            http=partial(TimedProtocol, head_timeout_s=config.idle_timeout_s),  # type: ignore[arg-type]
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=config.max_requests + _MORE_CONNECTIONS,
            timeout_graceful_shutdown=round(config.drain_timeout_s),
        )
    )
    log.info("the face serves on http://%s:%d", config.host, config.port)
    await server.serve()
    return server.started


def main() -> int:
    """Run until told to stop; returns the exit status: 0 drained, 1 cannot start, 2 usage."""
    try:
        config = load(WebConfig, os.environ, sys.argv[1:], prog="python -m web")
    except SettingError as exc:
        print(f"error: {exc}", file=sys.stderr)  # noqa: T201
        return 2
    set_up_logging(config.log_level, config.log_format)
    # A request has a line already; uvicorn says no more of it.
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    try:
        return 0 if asyncio.run(_run(config)) else 1
    except (OSError, ValueError) as exc:
        print(f"error: {exc}", file=sys.stderr)  # noqa: T201
    except SystemExit:
        pass  # the address cannot be bound; uvicorn has said so
    return 1


if __name__ == "__main__":
    sys.exit(main())
