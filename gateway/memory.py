"""Memory that is given back: the C library's allocator, set for what photos do to it.

A photo's arrays are tens of megabytes, made by one thread and freed by another. glibc answers each
such block with one from the kernel at first, but learns from the first that is freed to keep them
(its threshold rises to 32 MB), and it has an arena for each of up to eight threads per core, of
which every one keeps its own peak. The process then grows for as long as photos differ in size.
Fixed thresholds end the learning: a large block is the kernel's again once it is freed.
"""

import ctypes
import logging
import platform

log = logging.getLogger(__name__)

# Parameters of mallopt(3), and what they are set to.
_M_TRIM_THRESHOLD, _TRIM_BYTES = -1, 8 * 2**20
_M_MMAP_THRESHOLD, _MMAP_BYTES = -3, 2**20
_M_ARENA_MAX, _ARENAS = -8, 2


def limit_allocator() -> None:
    """Set the allocator of this process; to be called before it starts threads."""
    if platform.libc_ver()[0] != "glibc":
        log.info("the C library is not glibc: its allocator is left as it is")
        return
    mallopt = ctypes.CDLL(None).mallopt
    for parameter, value in (
        (_M_TRIM_THRESHOLD, _TRIM_BYTES),
        (_M_MMAP_THRESHOLD, _MMAP_BYTES),
        (_M_ARENA_MAX, _ARENAS),
    ):
        if not mallopt(parameter, value):
            log.warning("the allocator refused parameter %d = %d", parameter, value)
