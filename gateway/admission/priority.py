"""The priority of a request: the order in which work is done wherever there is a queue."""

from enum import IntEnum
from typing import Final

# While both wait, every eighth job is a bulk one, so bulk work is never starved.
BULK_TURN: Final = 8


class Priority(IntEnum):
    """How urgent a request is; the numbers are those of Triton's priority levels, 1 first."""

    INTERACTIVE = 1
    BULK = 2

    @property
    def label(self) -> str:
        """The name for people, metrics and metadata."""
        return self.name.lower()
