"""Small files of every accepted format and of the ways that each has, made by code."""

from collections.abc import Callable

import numpy as np
from PIL import Image

from tests.support.pictures import encode_image
from tests.support.profiles import DISPLAY_P3, red_cyan_profile, rgb_profile

EXIF = Image.Exif()
EXIF[0x0112] = 6
EXIF[0x010F] = "A maker"
EXIF[0x8769] = {0x9003: "2026:01:01 00:00:00"}
EXIF_BYTES = EXIF.tobytes()

P3 = rgb_profile(DISPLAY_P3)
NOISE = Image.fromarray(np.random.default_rng(1).integers(0, 256, (48, 64, 3), np.uint8))
SOFT = NOISE.resize((16, 12)).resize((64, 48), Image.Resampling.BICUBIC)
CLEAR = SOFT.copy()
CLEAR.putalpha(Image.linear_gradient("L").resize((64, 48)))

FILES: dict[str, Callable[[], bytes]] = {
    "jpeg": lambda: encode_image(NOISE, "JPEG", exif=EXIF_BYTES, icc_profile=P3),
    "jpeg-progressive": lambda: encode_image(NOISE, "JPEG", progressive=True),
    "jpeg-cmyk": lambda: encode_image(SOFT.convert("CMYK"), "JPEG", icc_profile=red_cyan_profile()),
    "png": lambda: encode_image(NOISE, "PNG", exif=EXIF_BYTES, icc_profile=P3),
    "png-palette": lambda: encode_image(NOISE.convert("P"), "PNG", transparency=7),
    "png-16": lambda: encode_image(Image.fromarray(np.asarray(SOFT.convert("L"), np.uint16) * 257)),
    "webp": lambda: encode_image(NOISE, "WEBP", exif=EXIF_BYTES, icc_profile=P3),
    "webp-lossless-alpha": lambda: encode_image(CLEAR, "WEBP", lossless=True),
    "avif": lambda: encode_image(NOISE, "AVIF", exif=EXIF_BYTES, icc_profile=P3),
    "avif-alpha": lambda: encode_image(CLEAR, "AVIF"),
    "avif-sequence": lambda: encode_image(
        NOISE, "AVIF", save_all=True, append_images=[SOFT, CLEAR.convert("RGB")]
    ),
    "heic": lambda: encode_image(NOISE, "HEIF", exif=EXIF_BYTES, icc_profile=P3),
    "heic-alpha": lambda: encode_image(CLEAR, "HEIF"),
    "heic-several": lambda: encode_image(NOISE, "HEIF", append_images=[SOFT]),
    "tiff": lambda: encode_image(NOISE, "TIFF", exif=EXIF_BYTES, icc_profile=P3),
    "tiff-lzw": lambda: encode_image(CLEAR, "TIFF", compression="tiff_lzw"),
    "tiff-deflate": lambda: encode_image(NOISE, "TIFF", compression="tiff_adobe_deflate"),
    "tiff-jpeg": lambda: encode_image(NOISE, "TIFF", compression="jpeg"),
    "tiff-fax": lambda: encode_image(NOISE.convert("1"), "TIFF", compression="group4"),
    "tiff-big": lambda: encode_image(NOISE, "TIFF", big_tiff=True),
    "bmp": lambda: encode_image(NOISE, "BMP"),
    "bmp-palette": lambda: encode_image(NOISE.convert("P"), "BMP"),
    "gif": lambda: encode_image(NOISE, "GIF", save_all=True, append_images=[SOFT]),
}
