"""The processor time of the codecs alone: decoding a photo and encoding a packshot."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from statistics import median

import numpy as np

from benchmarks.rendered_scenes import on_white, render_scene
from benchmarks.rounds import processor_seconds
from imaging.decode.limits import PhotoLimits
from imaging.decode.photo import decode_photo
from imaging.encode import DEFAULT_QUALITY, PictureFormat, encode_picture

MEGAPIXELS = (1.0, 4.0, 12.0)
QUICK_MEGAPIXELS = (0.25,)


@dataclass(frozen=True, slots=True)
class CodecTime:
    """Processor time of one step on one photo."""

    photo_megapixels: float
    step: str  # `decode` or `encode`
    file_format: str
    file_bytes: int
    cpu_ms: float  # median over rounds


def measure_codecs(megapixels: float, rounds: int) -> Iterator[CodecTime]:
    """Measure a JPEG in, and a JPEG on white and a transparent PNG out."""
    scene = render_scene(0, round((megapixels * 1e6) ** 0.5))
    jpeg, png = PictureFormat.JPEG, PictureFormat.PNG
    pictures = {
        jpeg: np.rint(on_white(scene.foreground, scene.alpha)).astype(np.uint8),
        png: np.dstack([scene.rgb * (scene.alpha > 0)[..., None], scene.alpha]),
    }
    files = {one: encode_picture(pixels, one, DEFAULT_QUALITY) for one, pixels in pictures.items()}
    photo = encode_picture(scene.rgb, jpeg, DEFAULT_QUALITY)
    steps: dict[tuple[str, PictureFormat], Callable[[], object]] = {
        ("decode", jpeg): partial(decode_photo, photo, PhotoLimits())
    }
    for one, pixels in pictures.items():
        steps["encode", one] = partial(encode_picture, pixels, one, DEFAULT_QUALITY)
    for (step, one), seconds in processor_seconds(steps, rounds).items():
        size = len(photo if step == "decode" else files[one])
        yield CodecTime(megapixels, step, one.value.lower(), size, 1000 * median(seconds))
