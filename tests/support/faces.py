"""The HTTP face on a real port, in a test's own loop."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import uvicorn

from web.app import make_app
from web.config import WebConfig
from web.protocol import TimedProtocol


class _Server(uvicorn.Server):
    # Signals are the test runner's.
    capture_signals = contextlib.nullcontext  # type: ignore[assignment]


@asynccontextmanager
async def serving_face(
    config: WebConfig, trust: ssl.SSLContext | None = None
) -> AsyncIterator[str]:
    """Serve a face for a block; gives its address, without a slash at the end."""
    server = _Server(
        uvicorn.Config(
            make_app(config, trust),
            host="127.0.0.1",
            port=0,
            http=partial(TimedProtocol, head_timeout_s=config.idle_timeout_s),  # type: ignore[arg-type]
            ws="none",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=5,
        )
    )
    task = asyncio.ensure_future(server.serve())
    while not server.started:
        assert not task.done(), "the face did not start"
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
