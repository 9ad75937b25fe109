"""ImageMagick, a second reader of pictures; where it is missing its tests are skipped."""

import os
import shutil
import subprocess

import numpy as np
import numpy.typing as npt
import pytest

_MOST_S = 60.0


def read_by_magick(
    data: bytes, picture_format: str, width_px: int, height_px: int
) -> npt.NDArray[np.float64] | None:
    """Return what ImageMagick sees in a file.

    Args:
        data: The file.
        picture_format: ImageMagick's name of its format, such as "tiff".
        width_px: The width that is expected.
        height_px: The height that is expected.

    Returns:
        (H, W, 4) of 0 to 255, sRGB, premultiplied; None where it sees no picture of that size.
    """
    made = subprocess.run(
        [_convert(), f"{picture_format}:-[0]", "-colorspace", "sRGB", "-depth", "8", "rgba:-"],
        input=data,
        capture_output=True,
        check=False,
        timeout=_MOST_S,
    )
    pixels = np.frombuffer(made.stdout, np.uint8)
    if pixels.size != 4 * width_px * height_px:
        return None
    rgba = pixels.reshape(height_px, width_px, 4).astype(np.float64)
    return np.dstack((rgba[..., :3] * rgba[..., 3:] / 255, rgba[..., 3]))


def _convert() -> str:
    convert = shutil.which("convert")
    if convert is None:
        missing = "ImageMagick is not installed: a second reader compares with `convert`"
        if os.environ.get("PACKSHOT_TEST_STRICT"):
            pytest.fail(missing)
        pytest.skip(missing)
    return convert
