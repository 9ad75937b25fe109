"""HEIC's decoder is a dependency group of its own, which the images leave out."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.support.pictures import encode, product_photo

# As in an environment without the group: whoever imports it is told that it is not there.
_WITHOUT_IT = """
import json, sys
sys.modules["pillow_heif"] = None
from imaging.decode.limits import PhotoLimits
from imaging.decode.photo import check_file, decode_photo
from imaging.errors import ReasonedError
said = {}
for name, path in zip(("heic", "jpeg", "text"), sys.argv[1:], strict=True):
    data = open(path, "rb").read()
    for read in (check_file, decode_photo):
        try:
            read(data, PhotoLimits())
            said[f"{name} {read.__name__}"] = "read"
        except ReasonedError as exc:
            said[f"{name} {read.__name__}"] = f"{exc.reason}: {exc}"
print(json.dumps(said))
"""


def test_without_its_decoder_heic_is_refused_by_name_and_the_rest_is_read(tmp_path: Path) -> None:
    files = {"heic": encode(product_photo(), "HEIF"), "jpeg": encode(product_photo(), "JPEG")}
    paths = []
    for name, data in {**files, "text": b"just a text"}.items():
        paths.append(tmp_path / name)
        paths[-1].write_bytes(data)
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT_IT, *map(str, paths)],
        env={**os.environ, "PYTHONPATH": ".:client"},
        check=True,
        capture_output=True,
        text=True,
    )
    said = json.loads(done.stdout)
    assert said["jpeg check_file"] == said["jpeg decode_photo"] == "read"
    for step in ("check_file", "decode_photo"):
        assert said[f"heic {step}"] == (
            "UNSUPPORTED_PHOTO: the photo is a HEIC file, which this installation does not read, "
            "only JPEG, PNG, WebP, AVIF, TIFF, BMP and GIF; the dependency group heif adds it"
        )
        assert "(JPEG, PNG, WebP, AVIF, TIFF, BMP and GIF)" in said[f"text {step}"]
