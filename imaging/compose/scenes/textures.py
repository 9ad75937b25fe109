"""What has been painted for one picture and is kept for the next one of the same size.

A texture follows from its scene, its light and its canvas, and the canvas from the picture's size
but for the floor's depth, which is one of a few. So pictures of one size in one scene share it,
whatever their products are. So they do a gradient. What is kept changes no pixel.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final

from imaging.types import Pixels

# Four floors of a picture of 4 megapixels or more; the gateway's memory ceiling counts it.
MOST_TEXTURE_BYTES: Final = 128 * 2**20


class Textures:
    """Keeps arrays by what they follow from, the latest used first; safe between threads.

    Args:
        most_bytes: What is kept at most.
    """

    def __init__(self, most_bytes: int = MOST_TEXTURE_BYTES) -> None:
        self._most_bytes = most_bytes
        self._kept: OrderedDict[Hashable, tuple[Pixels, ...]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    @property
    def kept_bytes(self) -> int:
        """The bytes that are kept."""
        return self._bytes

    def get(self, key: Hashable, make: Callable[[], tuple[Pixels, ...]]) -> tuple[Pixels, ...]:
        """Return what is kept under a key, or make it; two threads may make the same at once.

        Returns:
            The arrays, which nobody may write to.
        """
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        made = make()
        for array in made:
            array.flags.writeable = False
        with self._lock:
            if key not in self._kept:
                self._kept[key] = made
                self._bytes += _bytes_of(made)
            while self._bytes > self._most_bytes:
                _, dropped = self._kept.popitem(last=False)
                self._bytes -= _bytes_of(dropped)
        return made


def _bytes_of(arrays: tuple[Pixels, ...]) -> int:
    return sum(array.nbytes for array in arrays)


textures: Final = Textures()
