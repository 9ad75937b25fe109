"""Memory for pictures that goes from one photo to the next.

The kernel fills every page that it hands out with zeros, which takes as long as a step's own work
on a picture. So some memory stays when a picture goes.

What is given still holds a picture before it. So it is only for a step that writes to all of what
it reads later.
"""

import math
import threading
from typing import Any, Final

import numpy as np

from imaging.types import Pixels

# Two photos of 4 megapixels on their way, or one of 8.
MOST_KEPT_BYTES: Final = 64 * 2**20
# Smaller arrays are the C library's to keep.
_LEAST_BYTES: Final = 2**18
# Memory is given to what takes at least this share of it.
_LEAST_SHARE: Final = 0.5


class PictureMemory:
    """Memory of pictures that have gone, for new ones; from any thread.

    Args:
        most_bytes: The most that is kept while no picture needs it. What was used last stays.
    """

    def __init__(self, most_bytes: int = MOST_KEPT_BYTES) -> None:
        self._most_bytes = most_bytes
        # By their identity; what came back first is first.
        self._kept: dict[int, Pixels] = {}
        # A collector may end a picture within this class, on a thread that has the lock.
        self._lock = threading.RLock()

    @property
    def kept_bytes(self) -> int:
        """How much is kept at present, bytes."""
        with self._lock:
            return sum(block.size for block in list(self._kept.values()))

    def empty(self, *shape: int) -> Pixels:
        """Give an array whose values are whatever was there; its memory comes back by itself.

        Args:
            shape: Its shape; it is uint8, without gaps.
        """
        size = math.prod(shape)
        if not _LEAST_BYTES <= size <= self._most_bytes:
            return np.empty(shape, np.uint8)
        block = self._taken(size)
        loan = _Loan(self, np.empty(size, np.uint8) if block is None else block, shape)
        return np.asarray(loan)

    def _taken(self, size: int) -> Pixels | None:
        """Take the smallest block out that holds so much, and is not far too large for it."""
        with self._lock:
            fitting = [
                block
                for block in list(self._kept.values())
                if size <= block.size <= size / _LEAST_SHARE
            ]
            block = min(fitting, key=lambda each: each.size, default=None)
            if block is not None:
                self._kept.pop(id(block), None)
            return block

    def _take_back(self, block: Pixels) -> None:
        with self._lock:
            self._kept[id(block)] = block
            while self.kept_bytes > self._most_bytes:
                self._kept.pop(next(iter(self._kept)))


class _Loan:
    """Owns an array's memory; NumPy keeps it for as long as a view of the array is there."""

    def __init__(self, memory: PictureMemory, block: Pixels, shape: tuple[int, ...]) -> None:
        self._memory, self._block = memory, block
        self.__array_interface__: dict[str, Any] = {
            **block.__array_interface__,
            "shape": shape,
            "strides": None,
        }

    def __del__(self) -> None:
        self._memory._take_back(self._block)  # noqa: SLF001  the two are one


pictures: Final = PictureMemory()
