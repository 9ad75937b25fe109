"""The codecs' own time: what decoding a photo and encoding a packshot cost, and nothing else."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.edge_scenes import on_white, render_scene
from imaging.decode.limits import PhotoLimits
from imaging.decode.photo import decode_photo
from imaging.encode import DEFAULT_QUALITY, PictureFormat, encode_picture

if TYPE_CHECKING:
    from imaging.types import Pixels

MEGAPIXELS = (1.0, 4.0, 12.0)
QUICK_MEGAPIXELS = (0.25,)


@dataclass(frozen=True, slots=True)
class CodecTime:
    """Processor time of one step on one photo."""

    photo_megapixels: float  # the photo's size
    step: str  # `decode` or `encode`
    file_format: str  # the file's format
    file_bytes: int  # the file's size
    cpu_ms: float  # median over rounds


def measure_codecs(megapixels: float, rounds: int) -> Iterator[CodecTime]:
    """Measure a JPEG in, and a JPEG on white and a transparent PNG out.

    Args:
        megapixels: The photo's size.
        rounds: How often.
    """
    scene = render_scene(0, round((megapixels * 1e6) ** 0.5))
    cut: Pixels = np.dstack([scene.rgb * (scene.alpha > 0)[..., None], scene.alpha])
    white = np.rint(on_white(scene.foreground, scene.alpha)).astype(np.uint8)
    photo = encode_picture(scene.rgb, PictureFormat.JPEG, DEFAULT_QUALITY)
    steps: dict[tuple[str, PictureFormat], Callable[[], object]] = {
        ("decode", PictureFormat.JPEG): lambda: decode_photo(photo, PhotoLimits()),
        ("encode", PictureFormat.JPEG): lambda: encode_picture(
            white, PictureFormat.JPEG, DEFAULT_QUALITY
        ),
        ("encode", PictureFormat.PNG): lambda: encode_picture(
            cut, PictureFormat.PNG, DEFAULT_QUALITY
        ),
    }
    sizes_bytes = {
        ("decode", PictureFormat.JPEG): len(photo),
        ("encode", PictureFormat.JPEG): len(
            encode_picture(white, PictureFormat.JPEG, DEFAULT_QUALITY)
        ),
        ("encode", PictureFormat.PNG): len(encode_picture(cut, PictureFormat.PNG, DEFAULT_QUALITY)),
    }
    taken_s: dict[tuple[str, PictureFormat], list[float]] = {key: [] for key in steps}
    for _ in range(rounds):
        for key, step in steps.items():
            start_s = time.process_time()
            step()
            taken_s[key].append(time.process_time() - start_s)
    for (step_name, file_format), seconds in taken_s.items():
        yield CodecTime(
            photo_megapixels=megapixels,
            step=step_name,
            file_format=file_format.value.lower(),
            file_bytes=sizes_bytes[step_name, file_format],
            cpu_ms=1000 * median(seconds),
        )
