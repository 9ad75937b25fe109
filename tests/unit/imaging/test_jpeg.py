"""JPEG files of every kind: read as by others, whole or refused, and named if not read."""

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from imaging.decode.limits import PhotoLimits
from imaging.decode.photo import decode_photo
from imaging.errors import InvalidPhotoError
from tests.support.magick import read_by_magick
from tests.support.pictures import encode, encode_image

LIMITS = PhotoLimits()
CASES = Path(__file__).parent / "cases"
NOTE = "the JPEG file ends without its end marker; all of its picture is there"


def gradient(width: int = 61, height: int = 45) -> npt.NDArray[np.uint8]:
    y, x = np.mgrid[0:height, 0:width]
    return np.stack((x * 4, 255 - y * 5, (x + y) * 2), axis=2).astype(np.uint8)


def noise(width: int = 61, height: int = 45) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(5).integers(0, 256, (height, width, 3), np.uint8)


SAMPLINGS = {
    "444": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444, "440": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_440,
    "422": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422, "420": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
    "411": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_411,
}  # fmt: skip


def by_opencv(
    rgb: npt.NDArray[np.uint8], sampling: str, *, progressive: bool, restart: int, quality: int = 95
) -> bytes:
    options = [
        *(cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, SAMPLINGS[sampling]),
        *(cv2.IMWRITE_JPEG_PROGRESSIVE, int(progressive), cv2.IMWRITE_JPEG_RST_INTERVAL, restart),
    ]
    return bytes(cv2.imencode(".jpg", rgb[:, :, ::-1], options)[1])


@pytest.mark.parametrize("sampling", SAMPLINGS)
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("restart", [0, 3])
def test_every_subsampling_is_read_as_by_others(
    sampling: str, *, progressive: bool, restart: int
) -> None:
    rgb = gradient()
    data = by_opencv(rgb, sampling, progressive=progressive, restart=restart)
    photo = decode_photo(data, LIMITS)
    assert photo.notes == ()
    assert np.abs(photo.rgb - rgb.astype(int)).mean() < 3
    theirs = read_by_magick(data, "jpeg", 61, 45)
    assert theirs is not None
    assert np.abs(photo.rgb - theirs[..., :3]).max() <= 6


@pytest.mark.parametrize("name", ["arithmetic.jpg", "arithmetic-progressive.jpg"])
def test_arithmetic_coding_is_read(name: str) -> None:
    photo = decode_photo((CASES / name).read_bytes(), LIMITS)
    assert np.abs(photo.rgb - gradient(64, 48).astype(int)).mean() < 3


@pytest.mark.parametrize("marker", ["cmyk", "none", "ycck"])
def test_four_inks_are_read_as_by_others(marker: str) -> None:
    image = Image.fromarray(gradient()).convert("CMYK")
    data = bytearray(encode_image(image, "JPEG", quality=95))
    at = data.index(b"\xff\xee\0\x0eAdobe")
    if marker == "none":
        del data[at : at + 16]
    elif marker == "ycck":
        data[at + 15] = 2
    theirs = read_by_magick(bytes(data), "jpeg", 61, 45)
    assert theirs is not None
    assert np.abs(decode_photo(bytes(data), LIMITS).rgb - theirs[..., :3]).max() <= 6


def test_the_reported_inks_without_a_marker_are_no_negative() -> None:
    photo = decode_photo((CASES / "cmyk-photoshop-inks-no-marker.jpg").read_bytes(), LIMITS)
    assert np.abs(photo.rgb[0, 0].astype(int) - (193, 174, 144)).max() <= 14
    red, green, blue = photo.rgb[150, 180].astype(int)  # the mug is teal
    assert green > red
    assert blue > red


def changed(at: bytes, offset: int, value: int) -> bytes:
    data = bytearray(encode(gradient(), "JPEG"))
    data[data.index(at) + offset] = value
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (changed(b"\xff\xc0", 4, 12), "a 12-bit, baseline JPEG file of 3 comp.*; of JPEG, 8 bits"),
        (changed(b"\xff\xc0", 1, 0xC3), "an? 8-bit, lossless JPEG file of 3 components"),
        (changed(b"\xff\xc0", 1, 0xC5), "8-bit, hierarchical JPEG file of 3 components"),
        (changed(b"\xff\xc0", 9, 2), "JPEG file of 2 components; of JPEG, 1, 3 and 4 components"),
    ],
)
def test_names_the_kinds_that_are_not_read(data: bytes, words: str) -> None:
    with pytest.raises(InvalidPhotoError, match=words):
        decode_photo(data, LIMITS)


KINDS = [
    pytest.param({"progressive": progressive, "restart": restart, "sampling": sampling},
                 id=f"{sampling}{'-progressive' * progressive}{'-restart' * bool(restart)}")
    for progressive in (False, True) for restart in (0, 2) for sampling in ("444", "420")
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("missing", [1, 2])
def test_a_file_without_its_end_marker_is_read(kind: dict[str, object], missing: int) -> None:
    data = by_opencv(noise(), **kind)  # type: ignore[arg-type]
    whole = decode_photo(data, LIMITS)
    photo = decode_photo(data[:-missing], LIMITS)
    assert photo.notes == (NOTE,)
    assert (photo.rgb == whole.rgb).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("missing", [12, 40, 200, 1000])
def test_a_file_of_which_blocks_are_missing_is_refused(
    kind: dict[str, object], missing: int
) -> None:
    data = by_opencv(noise(), **kind)  # type: ignore[arg-type]
    assert len(data) > 2 * missing
    with pytest.raises(InvalidPhotoError, match="broken or incomplete"):
        decode_photo(data[:-missing], LIMITS)


def test_of_every_length_a_file_is_whole_or_refused() -> None:
    """The pixels are never others than those of the whole file."""
    data = by_opencv(noise(24, 20), "420", progressive=False, restart=0)
    whole = decode_photo(data, LIMITS).rgb
    read = 0
    for length in range(len(data) // 2, len(data)):
        try:
            photo = decode_photo(data[:length], LIMITS)
        except InvalidPhotoError:
            continue
        read += 1
        assert (photo.rgb == whole).all(), length
    assert 2 <= read <= 6


def test_a_progressive_file_that_ends_between_two_scans_is_refused() -> None:
    data = by_opencv(noise(), "444", progressive=True, restart=0)
    last_scan = data.rindex(b"\xff\xda")
    tables = data.rindex(b"\xff\xc4", 0, last_scan)
    for cut in (tables, last_scan):
        with pytest.raises(InvalidPhotoError, match="broken or incomplete"):
            decode_photo(data[:cut], LIMITS)


def test_a_file_that_ends_at_a_restart_marker_is_refused() -> None:
    data = by_opencv(noise(), "444", progressive=False, restart=2)
    cut = max(data.rindex(bytes((0xFF, 0xD0 + n))) for n in range(8))
    for length in (cut, cut + 2):
        with pytest.raises(InvalidPhotoError, match="broken or incomplete"):
            decode_photo(data[:length], LIMITS)


def test_the_reported_file_without_its_end_is_read() -> None:
    photo = decode_photo((CASES / "jpeg-no-eoi.jpg").read_bytes(), LIMITS)
    assert photo.rgb.shape == (270, 360, 3)
    assert photo.notes == (NOTE,)
