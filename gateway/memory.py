"""Memory that is given back: the C library's allocator, set for what photos do to it.

A photo's arrays are tens of megabytes, made by one thread and freed by another. glibc answers each
such block with one from the kernel at first, but learns from the first that is freed to keep them
(its threshold rises to 32 MB), and it has an arena for each of up to eight threads per core, of
which every one keeps its own peak. The process then grows for as long as photos differ in size.
Fixed thresholds end the learning: a large block is the kernel's again once it is freed.

A process that has one photo at a time and frees all of it at once does not grow so. It keeps some
memory instead: the kernel takes as long to hand out a photo's pages as a decoder to fill them.
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
    """Have this process give photos' memory back, but for 64 MiB of Pillow's.

    To be called before it starts threads.
    """
    _set(trim_bytes=8 * _MIB, mapped_from_bytes=_MIB)
    _keep_blocks(4)


def keep_some_memory() -> None:
    """Have this process, of one thread, keep up to 96 MiB between photos."""
    # The most that glibc allows; larger blocks always go back.
    _set(trim_bytes=64 * _MIB, mapped_from_bytes=32 * _MIB)
    _keep_blocks(2)


def _keep_blocks(count: int) -> None:
    """Have Pillow keep so many of its blocks of 16 MiB, which its pictures come in."""
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
