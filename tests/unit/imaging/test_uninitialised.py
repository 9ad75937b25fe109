"""What lies in memory that an array is given never reaches a packshot."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from imaging.compose.compose import compose
from imaging.compose.composition import Look, Transparent
from imaging.decode.limits import PhotoLimits
from imaging.decode.photo import decode_photo
from imaging.encode import PictureFormat, encode_picture
from imaging.matting.prepare import to_model_input
from imaging.matting.refine import cut_out

ROOT = Path(__file__).parents[3]


def digests() -> list[str]:
    """Cut a sample out and compose it in several ways; a digest of each result."""
    photo = decode_photo((ROOT / "samples" / "camera.jpg").read_bytes(), PhotoLimits())
    seen = to_model_input(photo, 320, 320)
    matte = np.zeros((320, 320), np.uint8)
    matte[80:240, 60:260] = 255
    matte[75:80, 60:260] = 120
    found = []
    for look in (Look(), Look(Transparent()), Look(clears_border=True)):
        pixels = compose(cut_out(matte, seen[0], photo), photo, look).pixels
        opaque = np.ascontiguousarray(pixels[..., :3])
        files = (
            encode_picture(opaque, PictureFormat.JPEG, 90),
            encode_picture(pixels, PictureFormat.PNG, 90),
        )
        found += [hashlib.sha256(each).hexdigest() for each in (pixels.tobytes(), *files)]
    return found


def test_a_packshot_is_the_same_whatever_lay_in_its_memory_before() -> None:
    """The C library fills all memory that it gives with a value, another one in each process."""
    told = {
        subprocess.run(
            [sys.executable, "-c", f"import {__name__} as it; print(it.digests())"],
            cwd=ROOT,
            env=os.environ | {"MALLOC_PERTURB_": value},
            capture_output=True,
            text=True,
            check=True,
            timeout=300,
        ).stdout
        for value in ("7", "201")
    }
    assert len(told) == 1
    assert told != {""}
