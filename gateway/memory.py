"""Settings of the C library's allocator: photos' memory is used again, and what is kept is bounded.

A photo's arrays are tens of megabytes. The kernel takes as long to hand out their pages as a step
to fill them, so memory that one photo leaves is kept for the next. Left alone, glibc keeps too much
of it. It has up to eight arenas per core, each keeps its own peak, and a small block above a large
free one keeps that from being returned. So the process would grow for as long as photos differ in
size. The gateway therefore has two arenas, and a thread that returns what is free once it is more
than a limit. A decode worker has one photo at a time and frees all of it at once: it needs no such
thread.
"""

import ctypes
import logging
import mmap
import os
import platform
import threading
import time
from pathlib import Path
from typing import Final

from PIL import Image

log = logging.getLogger(__name__)

# Parameters of mallopt(3).
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8

_MIB: Final = 2**20
_ARENAS: Final = 2

# The most free memory that the gateway keeps: as much for each core as a decode worker keeps. And
# how often that is looked at.
MOST_KEPT_BYTES: Final = 96 * _MIB * len(os.sched_getaffinity(0))
_LOOK_S: Final = 1.0


def limit_allocator() -> None:
    """Have this process keep up to `MOST_KEPT_BYTES` of free memory, and 64 MiB in Pillow's blocks.

    A block of 64 MiB and more goes back at once. Where the C library does not tell what is free,
    one of 1 MiB and more does. Call it before the process starts threads.
    """
    _keep_blocks(4)
    if not hasattr(ctypes.CDLL(None), "mallinfo2"):
        _set(trim_bytes=8 * _MIB, mapped_from_bytes=_MIB)
        return
    # The parameter has 31 bits.
    _set(trim_bytes=min(MOST_KEPT_BYTES, 1024 * _MIB), mapped_from_bytes=64 * _MIB)
    threading.Thread(target=_return_free, name="free-memory", daemon=True).start()


def keep_some_memory() -> None:
    """Have this process, of one thread, keep up to 96 MiB between photos."""
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
        # Older versions of glibc allow no more than this.
        (_M_MMAP_THRESHOLD, min(mapped_from_bytes, 32 * _MIB)),
        (_M_ARENA_MAX, _ARENAS),
    ):
        if not mallopt(parameter, value):
            log.warning("the allocator refused parameter %d = %d", parameter, value)
    mallopt(_M_MMAP_THRESHOLD, mapped_from_bytes)


class _Info(ctypes.Structure):
    """The result of mallinfo2(3), glibc 2.33."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
            *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    )


class FreeMemory:
    """Free memory of this process that the kernel has not got back.

    The allocator counts free blocks, but not which of their pages it has returned. So what is kept
    is told by the process' resident memory: all that is not in use, less what was so after the last
    return, which belongs to others than the allocator.
    """

    def __init__(self) -> None:
        libc = ctypes.CDLL(None)
        self._trim, self._info = libc.malloc_trim, libc.mallinfo2
        self._info.restype = _Info
        self._others_bytes = 0
        self._is_unsure = False

    def limit(self, most_bytes: int) -> None:
        """Return all of it to the kernel if it is more than so many bytes.

        What other threads free at that moment would pass for the others' until it is in use again.
        So the next call returns and measures once more.
        """
        if self._not_in_use_bytes() - self._others_bytes <= most_bytes and not self._is_unsure:
            return
        self._trim(0)
        others_bytes = self._not_in_use_bytes()
        self._others_bytes = (
            min(self._others_bytes, others_bytes) if self._is_unsure else others_bytes
        )
        self._is_unsure = not self._is_unsure

    def _not_in_use_bytes(self) -> int:
        info = self._info()
        _, resident, shared, *_ = map(int, Path("/proc/self/statm").read_text().split())
        return (resident - shared) * mmap.PAGESIZE - int(info.uordblks) - int(info.hblkhd)


def _return_free() -> None:
    free = FreeMemory()
    while True:
        time.sleep(_LOOK_S)
        free.limit(MOST_KEPT_BYTES)
