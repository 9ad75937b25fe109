"""The end of the gateway, step by step."""

import inspect
import logging
from collections.abc import Awaitable, Callable
from typing import TypeAlias

log = logging.getLogger(__name__)

Step: TypeAlias = Callable[[], Awaitable[object] | object]


async def take_all(*steps: Step) -> None:
    """Take steps one after the other, each whatever the others meet, which is logged.

    A process that lacks descriptors or memory must end as well.
    """
    for step in steps:
        try:
            taken = step()
            if inspect.isawaitable(taken):
                await taken
        except Exception:
            log.exception("a step of stopping failed")
