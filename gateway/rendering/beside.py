"""Work that goes on beside a block, and has ended when the block has."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

T = TypeVar("T")


@asynccontextmanager
async def beside(work: Coroutine[Any, Any, T]) -> AsyncIterator["asyncio.Task[T]"]:
    """Do work beside a block, which may await it.

    At the end of the block work that is not done is cancelled, and waited for however often the
    block itself is cancelled. An error that the block has not awaited is forgotten: the block has
    one of its own.

    Args:
        work: What to do.

    Yields:
        Its task.
    """
    task = asyncio.ensure_future(work)
    try:
        yield task
    finally:
        task.cancel()
        while not task.done():
            try:
                await asyncio.wait({task})
            except asyncio.CancelledError:
                task.cancel()
        if not task.cancelled():
            task.exception()
        # An exception's traceback holds this frame, and the task the exception.
        del task
