"""A TCP relay: a caller on this machine comes from another address of the loopback range."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

_CHUNK_BYTES = 64 * 2**10


@asynccontextmanager
async def relayed(address: str, source: str) -> AsyncIterator[str]:
    """Relay connections to a server for the time of a block.

    Args:
        address: `HOST:PORT` of the server.
        source: The loopback address that connections to it shall come from, such as 127.0.0.9.

    Yields:
        `HOST:PORT` of the relay.
    """
    host, _, port = address.rpartition(":")
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            there = await asyncio.open_connection(host, int(port), local_addr=(source, 0))
            for pipe in (_pump(reader, there[1]), _pump(there[0], writer)):
                task = asyncio.create_task(pipe)
                tasks.add(task)
                task.add_done_callback(tasks.discard)
            return
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(_CHUNK_BYTES):
            writer.write(data)
            await writer.drain()
    writer.close()
