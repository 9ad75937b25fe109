"""Memory that a decode worker keeps from one photo to the next.

What is given still holds the photo before. So it is only for a decoder that fills all of it, or
else says that it failed.
"""

from typing import Final

import numpy as np

from imaging.types import Pixels

# What a photo of 16 megapixels takes.
_MOST_KEPT_BYTES: Final = 48 * 2**20


class KeptRoom:
    """Room for one photo's pixels after the other's, in the same memory.

    The kernel takes as long to hand out a photo's pages as a decoder to fill them. So some stay.

    Args:
        most_bytes: The most that stays; a larger photo has memory of its own.
    """

    def __init__(self, most_bytes: int = _MOST_KEPT_BYTES) -> None:
        self._most_bytes = most_bytes
        self._kept = np.empty(0, np.uint8)

    def __call__(self, size_bytes: int) -> Pixels:
        """Give room for so many bytes; whatever was in it is overwritten."""
        if size_bytes > self._most_bytes:
            return np.empty(size_bytes, np.uint8)
        if self._kept.size < size_bytes:
            self._kept = np.empty(0, np.uint8)
            self._kept = np.empty(size_bytes, np.uint8)
        return self._kept[:size_bytes]
