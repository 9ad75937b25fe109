"""The same work by the gateway's own steps on all cores, one process for each core."""

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any, Self

import cv2
import numpy as np
from PIL import Image

from benchmarks.device_pipeline.codecs import QUALITY, Pillow, encode
from benchmarks.limits.network import open_session
from imaging.compose.blend import composite_over
from imaging.matting.prepare import to_model_input
from imaging.matting.refine import cut_out
from imaging.types import WHITE, Photo, Pixels

_START_TIMEOUT_S = 120.0
_own: dict[str, Any] = {}  # of a process of the pool


def _codecs() -> tuple[str, Callable[[bytes], Photo], Callable[[Pixels], bytes]]:
    """Return the gateway's codecs, or where their packages are missing the Pillow under them."""
    try:
        from imaging.decode.limits import PhotoLimits  # noqa: PLC0415
        from imaging.decode.photo import decode_photo  # noqa: PLC0415
        from imaging.encode import PictureFormat, encode_picture  # noqa: PLC0415
    except ImportError:
        return (
            "Pillow",
            lambda file: Photo(Pillow().decode([file])[0].permute(1, 2, 0).contiguous().numpy()),
            encode,
        )
    return (
        "the gateway's",
        lambda file: decode_photo(file, PhotoLimits()),
        lambda pixels: encode_picture(pixels, PictureFormat.JPEG, QUALITY),
    )


class CpuPath:
    """Decode, cut, refine, compose and encode one photo at a time, on one core."""

    def __init__(self, model: Path) -> None:
        cv2.setNumThreads(1)
        self.codecs, self.decode, self._encode = _codecs()
        self._session = open_session(str(model), 1)
        port = self._session.get_inputs()[0]
        self._name, self._side = port.name, port.shape[1]

    def matte(self, photo: Photo) -> tuple[Pixels, Pixels]:
        """Return the photo as the network sees it, (S, S, 3) uint8, and its matte, (S, S) uint8."""
        seen = to_model_input(photo, self._side, self._side)
        return seen[0], np.asarray(self._session.run(None, {self._name: seen})[0][0, :, :, 0])

    def compose(self, photo: Photo, seen: Pixels, matte: Pixels) -> Pixels:
        """Bring a matte to full size and set the product on white: (H, W, 3) uint8."""
        cut = cut_out(matte, seen, photo)
        return composite_over(cut.foreground, cut.alpha, WHITE)

    def render(self, file: bytes) -> bytes:
        """Make a packshot of a JPEG file."""
        photo = self.decode(file)
        return self._encode(self.compose(photo, *self.matte(photo)))


class CpuPool:
    """All cores, a process each."""

    def __init__(self, model: Path) -> None:
        self.processes = len(os.sched_getaffinity(0))
        CpuPath(model)  # compiles what the processes then read from the cache
        context = get_context("spawn")
        self._pool = ProcessPoolExecutor(
            self.processes,
            context,
            _begin,
            (model, context.Barrier(self.processes)),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def images_per_s(self, files: Sequence[bytes], least_s: float) -> float:
        """Render files over and over on all cores for at least so long."""
        tasks = [self._pool.submit(_render, files, least_s) for _ in range(self.processes)]
        return sum(task.result() for task in tasks)


def _begin(model: Path, barrier: Barrier) -> None:
    import torch  # noqa: PLC0415  the codecs' module has loaded it

    torch.set_num_threads(1)
    _own.update(path=CpuPath(model), barrier=barrier)


def _render(files: Sequence[bytes], least_s: float) -> float:
    """Return this process' photos a second, while all the others work as well."""
    path: CpuPath = _own["path"]
    path.render(files[0])
    _own["barrier"].wait(_START_TIMEOUT_S)
    done, start_s = 0, time.perf_counter()
    while (taken_s := time.perf_counter() - start_s) < least_s or done == 0:
        path.render(files[done % len(files)])
        done += 1
    return done / taken_s


def make_files(samples: Path, megapixels: float, count: int) -> list[bytes]:
    """Make so many JPEG files of one square size of the samples, by turns.

    Raises:
        ValueError: There is no sample.
    """
    side = round((megapixels * 1e6) ** 0.5)
    paths = sorted(samples.glob("*.jpg"))[:count]
    if not paths:
        raise ValueError(f"{samples} has no photo, *.jpg")
    made = []
    for path in paths:
        with Image.open(path) as opened:
            pixels = np.asarray(opened.convert("RGB").resize((side, side)))
        made.append(cv2.imencode(".jpg", pixels[:, :, ::-1], (cv2.IMWRITE_JPEG_QUALITY, 90))[1])
    return [made[at % len(made)].tobytes() for at in range(count)]
