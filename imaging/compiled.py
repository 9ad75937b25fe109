"""Loops over pixels that no library has, compiled by Numba.

A kernel is compiled for its signature when its module is imported, and kept in `NUMBA_CACHE_DIR`,
or without it in `__pycache__` or the user's own cache. So the first start of a new version takes
some seconds longer, and no photo ever waits for a compiler. While a kernel runs, Python's lock is
free for other threads. Indices are not checked.

An image's build compiles the kernels into `kernels/` beside this file, and its root is read-only
later. Numba writes to a cache even to read it, so they are laid out in `NUMBA_CACHE_DIR` first.
They serve where `NUMBA_CPU_NAME` is what it was at the build.
"""

import logging
import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final, TypeVar, cast

import numba
from numba import config, types
from numba.core.typing.templates import Signature

log = logging.getLogger(__name__)

F = TypeVar("F", bound=Callable[..., object])

_BUILT: Final = Path(__file__).with_name("kernels")

# What kernels take: arrays of any strides. Only those that are written to must allow it.
PIXELS_2D: Final = types.Array(types.uint8, 2, "A", readonly=True)
PIXELS_3D: Final = types.Array(types.uint8, 3, "A", readonly=True)
WRITTEN_3D: Final = types.Array(types.uint8, 3, "A")
# Without gaps between their elements: loops over these are compiled to vector instructions.
COUNT: Final = types.int64
SHARE: Final = types.float64
DENSE_COUNTS_1D: Final = types.Array(types.int64, 1, "C")
DENSE_FLAGS_1D: Final = types.Array(types.boolean, 1, "C", readonly=True)
DENSE_WRITTEN_FLAGS_1D: Final = types.Array(types.boolean, 1, "C")
DENSE_LABELS_2D: Final = types.Array(types.int32, 2, "C", readonly=True)
DENSE_FLAGS_2D: Final = types.Array(types.boolean, 2, "C", readonly=True)
DENSE_FLOATS_2D: Final = types.Array(types.float32, 2, "C", readonly=True)
DENSE_WRITTEN_FLOATS_2D: Final = types.Array(types.float32, 2, "C")
DENSE_FLOATS_3D: Final = types.Array(types.float32, 3, "C", readonly=True)
DENSE_PIXELS_2D: Final = types.Array(types.uint8, 2, "C", readonly=True)
DENSE_PIXELS_3D: Final = types.Array(types.uint8, 3, "C", readonly=True)
DENSE_WRITTEN_2D: Final = types.Array(types.uint8, 2, "C")
DENSE_WRITTEN_WORDS_2D: Final = types.Array(types.uint32, 2, "C")
DENSE_WRITTEN_3D: Final = types.Array(types.uint8, 3, "C")
DENSE_WRITTEN_FLOATS_3D: Final = types.Array(types.float32, 3, "C")


def kernel(*arguments: types.Type) -> Callable[[F], F]:
    """Compile a function that writes to its arguments and returns nothing.

    Args:
        arguments: Their types, of those above.
    """

    def compile_now(function: F) -> F:
        return _compiled(function, types.void(*arguments))

    return compile_now


def kernel_part(function: F) -> F:
    """Compile a function that kernels call, with the first of them that does."""
    return _compiled(function, None)


def _compiled(function: F, signature: Signature | None) -> F:
    compile_with = partial(numba.njit, signature, nogil=True, error_model="numpy", fastmath=True)
    try:
        return cast("F", compile_with(cache=True)(function))
    except (OSError, RuntimeError) as exc:
        # There is no folder to write to; Numba's own message says so.
        log.warning("%s is compiled anew at every start: %s", function.__qualname__, exc)
        return cast("F", compile_with()(function))


def lay_out(built: Path, cache: Path) -> None:
    """Copy kernels that are compiled to where Numba reads them, unless newer ones are there.

    Args:
        built: A folder as Numba leaves it.
        cache: Numba's folder; made if missing. If it cannot be written to, that is logged.
    """
    # A kernel's index names its files, so that the index comes last.
    files = sorted((file for file in built.rglob("*.nb[ci]")), key=lambda file: file.suffix)
    try:
        for file in files:
            target = cache / file.relative_to(built)
            if target.exists() and target.stat().st_mtime_ns >= file.stat().st_mtime_ns:
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            # Another process may read the same file meanwhile.
            unfinished = target.with_name(f".{target.name}.{os.getpid()}")
            shutil.copy2(file, unfinished)
            unfinished.replace(target)
    except OSError as exc:
        log.warning("compiled kernels cannot be laid out in %s: %s", cache, exc)


_CACHE: Final = getattr(config, "CACHE_DIR", "")
if _CACHE and Path(_CACHE) != _BUILT and _BUILT.is_dir():
    lay_out(_BUILT, Path(_CACHE))
