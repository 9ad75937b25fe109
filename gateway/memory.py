"""Settings of the C library's allocator, so that photos' memory is returned to the system.

A photo's arrays are tens of megabytes. One thread makes them and another frees them. At first glibc
maps each such block from the kernel. After the first one is freed it raises its threshold, up to
32 MB, and keeps blocks below it. It also has up to eight arenas per core, and each keeps its own
peak. So the process grows for as long as photos differ in size. With fixed thresholds glibc unmaps
a large block as soon as it is freed.

A process that has one photo at a time and frees all of it at once does not grow this way. It keeps
some memory instead, because the kernel takes as long to map a photo's pages as a decoder to fill
them.
"""

import ctypes
import logging
import platform
from typing import Final

from PIL import Image

log = logging.getLogger(__name__)

# Parameters of mallopt(3).
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8

_MIB: Final = 2**20
_ARENAS: Final = 2


def limit_allocator() -> None:
    """Have this process return photos' memory, except for 16 MiB that Pillow keeps.

    What it uses again for pictures, `imaging.picture_memory` keeps.

    Call it before the process starts threads.
    """
    _set(trim_bytes=8 * _MIB, mapped_from_bytes=_MIB)
    _keep_blocks(1)


def keep_some_memory() -> None:
    """Have this process, of one thread, keep up to 96 MiB between photos."""
    # The most that glibc allows; larger blocks always go back.
    _set(trim_bytes=64 * _MIB, mapped_from_bytes=32 * _MIB)
    _keep_blocks(2)


def _keep_blocks(count: int) -> None:
    """Set how many of its blocks of 16 MiB Pillow keeps; its pictures lie in such blocks."""
    Image.core.set_blocks_max(count)  # type: ignore[attr-defined]  # documented, but not typed


def _set(trim_bytes: int, mapped_from_bytes: int) -> None:
    if platform.libc_ver()[0] != "glibc":
        log.info("the C library is not glibc: its allocator is left as it is")
        return
    mallopt = ctypes.CDLL(None).mallopt
    for parameter, value in (
        (_M_TRIM_THRESHOLD, trim_bytes),
        (_M_MMAP_THRESHOLD, mapped_from_bytes),
        (_M_ARENA_MAX, _ARENAS),
    ):
        if not mallopt(parameter, value):
            log.warning("the allocator refused parameter %d = %d", parameter, value)
