"""The processor time of the codecs alone: decoding a photo and encoding a packshot."""

from collections.abc import Callable, Iterator
from functools import partial
from statistics import median
from typing import Any

import numpy as np

from benchmarks.rendered_scenes import on_white, render_scene
from benchmarks.rounds import processor_seconds
from imaging.decode.limits import PhotoLimits
from imaging.decode.photo import decode_photo
from imaging.encode import DEFAULT_QUALITY, PictureFormat, encode_picture


def codec_rows(megapixels: float, rounds: int, cores: int) -> Iterator[dict[str, Any]]:
    """Measure a JPEG in, and a JPEG on white and a transparent PNG out; medians over rounds."""
    scene = render_scene(0, round((megapixels * 1e6) ** 0.5))
    jpeg, png = PictureFormat.JPEG, PictureFormat.PNG
    pictures = {
        jpeg: np.rint(on_white(scene.foreground, scene.alpha)).astype(np.uint8),
        png: np.dstack([scene.rgb * (scene.alpha > 0)[..., None], scene.alpha]),
    }
    photo = encode_picture(scene.rgb, jpeg, DEFAULT_QUALITY)
    files = {("decode", jpeg): photo}
    steps: dict[tuple[str, PictureFormat], Callable[[], object]] = {
        ("decode", jpeg): partial(decode_photo, photo, PhotoLimits())
    }
    for one, pixels in pictures.items():
        files["encode", one] = encode_picture(pixels, one, DEFAULT_QUALITY)
        steps["encode", one] = partial(encode_picture, pixels, one, DEFAULT_QUALITY)
    for key, seconds in processor_seconds(steps, rounds).items():
        yield {
            "kind": "codec",
            "photo_megapixels": megapixels,
            "step": key[0],
            "file_format": key[1].value.lower(),
            "file_bytes": len(files[key]),
            "cpu_ms": 1000 * median(seconds),
            "images_per_s": cores / median(seconds),
        }
