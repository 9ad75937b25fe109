"""Limits: named, at once and in no memory, whatever a file claims."""

import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imaging.decode.header_checks import MAX_BOXES, MAX_SCANS
from imaging.decode.limits import MAX_CHUNKS, MAX_PROFILE_BYTES, PhotoLimits
from imaging.decode.photo import decode_photo
from imaging.decode.tiff.directory import MAX_TAG_VALUES, MAX_TAGS
from imaging.errors import InvalidInputError, InvalidPhotoError, PhotoLimitError
from tests.support import claims
from tests.support.pictures import (
    claiming_png,
    encode,
    encode_image,
    png_chunk,
    product_photo,
)

LIMITS = PhotoLimits()
HUGE = 100_000
MOST_SECONDS = 0.5
MOST_MIB = 16
MIB = 2**20


def _kib(field: str) -> int:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(field):
            return int(line.split()[1])
    raise AssertionError


@contextmanager
def quickly_and_in_little_memory() -> Iterator[None]:
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak so far is forgotten
    before_kib, start_s = _kib("VmRSS"), time.thread_time()
    yield
    assert time.thread_time() - start_s < MOST_SECONDS
    assert _kib("VmHWM") - before_kib < MOST_MIB * 1024


AVIF = encode(product_photo(), "AVIF")
HEIC = encode(product_photo(), "HEIF")


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(claiming_png(HUGE, HUGE), id="png"),
        pytest.param(claims.claiming_webp(HUGE, HUGE), id="webp"),
        pytest.param(claims.claiming_bmp(HUGE, HUGE), id="bmp"),
        pytest.param(claims.claiming_bmp(HUGE, -HUGE), id="bmp-from-above"),
        pytest.param(claims.claiming_tiff(HUGE, HUGE), id="tiff"),
        pytest.param(claims.claiming_tiff(HUGE, HUGE, compression=5), id="tiff-lzw"),
        pytest.param(claims.big_tiff(HUGE, HUGE), id="big-tiff"),
        pytest.param(claims.claiming_boxes(AVIF, HUGE, HUGE), id="avif"),
        pytest.param(claims.claiming_boxes(HEIC, HUGE, HUGE), id="heic"),
    ],
)
def test_refuses_a_hundred_thousand_pixels_square_by_the_header_alone(data: bytes) -> None:
    with (
        quickly_and_in_little_memory(),
        pytest.raises(PhotoLimitError, match=r"10000000000 pixels; the limit is 64000000"),
    ):
        decode_photo(data, LIMITS)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(claims.claiming_jpeg(65_535, 65_535), id="jpeg"),
        pytest.param(claims.claiming_gif(65_535, 65_535), id="gif"),
        pytest.param(claims.claiming_gif(120, 90, frame=(9000, 9000)), id="gif-frame"),
        pytest.param(claims.claiming_gif(120, 90, frame=(65_535, 65_535)), id="gif-huge-frame"),
        pytest.param(claims.claiming_webp(16_383, 16_383), id="webp-that-libwebp-would-open"),
        pytest.param(claims.claiming_boxes(AVIF, 16_000, 16_000), id="avif-that-libavif-would"),
        pytest.param(claims.claiming_boxes(HEIC, 30_000, 30_000), id="heic-that-libheif-would"),
    ],
)
def test_refuses_the_most_that_a_format_can_claim(data: bytes) -> None:
    """JPEG and GIF have sixteen bits for a side."""
    with (
        quickly_and_in_little_memory(),
        pytest.raises(PhotoLimitError, match=r"pixels; the limit is 64000000"),
    ):
        decode_photo(data, LIMITS)


@pytest.mark.parametrize("picture_format", ["PNG", "JPEG", "WEBP", "AVIF", "TIFF", "BMP", "GIF"])
def test_refuses_a_side_that_is_too_short(picture_format: str) -> None:
    with pytest.raises(PhotoLimitError, match=r"40x15 pixels; each side must have at least 16"):
        decode_photo(encode(np.zeros((15, 40, 3), np.uint8), picture_format), LIMITS)


def test_refuses_a_side_that_is_too_short_in_heic_too() -> None:
    data = encode(np.zeros((32, 40, 3), np.uint8), "HEIF")
    with pytest.raises(PhotoLimitError, match=r"40x32 pixels; each side must have at least 33"):
        decode_photo(data, PhotoLimits(min_side_px=33))


def test_refuses_too_many_bytes_naming_limit_and_value() -> None:
    with pytest.raises(PhotoLimitError, match=r"5000 bytes; the limit is 1000") as caught:
        decode_photo(bytes(5000), PhotoLimits(max_bytes=1000))
    assert caught.value.figures == {"limit_bytes": "1000", "value_bytes": "5000"}


def test_a_heic_whose_stream_is_larger_than_it_claims_is_refused() -> None:
    data = encode(np.zeros((1024, 1024, 3), np.uint8), "HEIF")
    with quickly_and_in_little_memory(), pytest.raises(InvalidPhotoError):
        decode_photo(claims.claiming_boxes(data, 64, 64), LIMITS)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(
            claims.claiming_tiff(64, 64, (322, 4, 1, 30_000), (323, 4, 1, 30_000), compression=8),
            "30000x30000",
            id="tile",
        ),
        pytest.param(
            claims.claiming_tiff(64, 64, (273, 4, 8_000_000, 8)),
            f"8000000 values of tag 273; the limit is {MAX_TAG_VALUES}",
            id="strips",
        ),
        pytest.param(
            claims.claiming_tiff(64, 64, (274, 3, 9_000_000, 8)),
            f"9000000 values of tag 274; the limit is {MAX_TAG_VALUES}",
            id="orientations",
        ),
        pytest.param(
            claims.claiming_tiff(64, 64, *((1000 + tag, 4, 1, 8) for tag in range(5000))),
            f"tags; the limit is {MAX_TAGS}",
            id="tags",
        ),
        pytest.param(
            claims.jpeg_of_scans(5000), f"scans; the limit is {MAX_SCANS}", id="jpeg-scans"
        ),
        pytest.param(
            AVIF + b"\0\0\0\x08free" * 1_000_000,
            f"boxes; the limit is {MAX_BOXES}",
            id="avif-boxes",
        ),
        pytest.param(
            HEIC + b"\0\0\0\x08free" * 1_000_000,
            f"boxes; the limit is {MAX_BOXES}",
            id="heic-boxes",
        ),
        *(
            pytest.param(make(MIB), f"chunks; the limit is {MAX_CHUNKS}", id=make.__name__)
            for make in claims.OF_MANY_CHUNKS
        ),
        pytest.param(
            claims.with_item(HEIC, b"iovl"),
            "laid over others",
            id="heic-overlay",
        ),
    ],
)
def test_refuses_what_a_decoder_would_choke_on(data: bytes, message: str) -> None:
    with quickly_and_in_little_memory(), pytest.raises(InvalidInputError, match=message):
        decode_photo(data, LIMITS)


def test_a_progressive_jpeg_of_many_but_not_too_many_scans_is_fine() -> None:
    assert decode_photo(claims.jpeg_of_scans(50), LIMITS).rgb.shape == (90, 120, 3)


def test_the_larger_a_jpeg_is_the_fewer_scans_it_may_have() -> None:
    large = encode(product_photo(6000, 4000), "JPEG", progressive=True)
    with pytest.raises(PhotoLimitError, match="60 scans; the limit is 53"):
        decode_photo(claims.with_scans(large, 60), LIMITS)


def test_a_colour_profile_of_ten_megabytes_is_refused() -> None:
    profile = bytes(10_000_000)
    data = encode(product_photo(), "TIFF", icc_profile=profile)
    with pytest.raises(PhotoLimitError, match=f"profile; the limit is {MAX_PROFILE_BYTES}"):
        decode_photo(data, LIMITS)


INFLATES = zlib.compress(bytes(100_000_000))


@pytest.mark.parametrize(
    "chunk",
    [
        pytest.param(png_chunk(b"zTXt", b"key\0\0" + INFLATES), id="zTXt"),
        pytest.param(png_chunk(b"iTXt", b"key\0\1\0\0\0" + INFLATES), id="iTXt"),
        pytest.param(
            png_chunk(b"zTXt", b"key\0\0" + zlib.compress(bytes(1_000_000))) * 100,
            id="many-zTXt",
        ),
    ],
)
def test_texts_that_inflate_are_not_read(chunk: bytes) -> None:
    with quickly_and_in_little_memory():
        photo = decode_photo(claims.png_with(chunk), LIMITS)
    assert (photo.rgb == product_photo()).all()
    assert photo.notes == ()


def test_a_profile_that_inflates_is_refused() -> None:
    data = claims.png_with(png_chunk(b"iCCP", b"name\0\0" + INFLATES))
    with (
        quickly_and_in_little_memory(),
        pytest.raises(PhotoLimitError, match=f"profile; the limit is {MAX_PROFILE_BYTES}"),
    ):
        decode_photo(data, LIMITS)


@pytest.mark.filterwarnings("ignore:::PIL")
def test_tag_data_that_overlap_are_not_multiplied() -> None:
    """Five hundred tags, each of which claims the same ten megabytes."""
    tags = [(40_000 + tag, claims.BYTES, 10_000_000, 8) for tag in range(500)]
    data = claims.claiming_tiff(20, 50, *tags) + bytes(10_000_000)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before_kib = _kib("VmRSS")
    decode_photo(data, LIMITS)
    assert _kib("VmHWM") - before_kib < 100 * 1024


@pytest.mark.parametrize("picture_format", ["GIF", "PNG", "WEBP", "AVIF", "TIFF"])
def test_many_frames_cost_no_more_than_one(picture_format: str) -> None:
    """They are no reason to refuse a file: none but the first is looked at."""
    first = Image.fromarray(np.random.default_rng(1).integers(0, 256, (256, 256, 3), np.uint8))
    frames = [Image.new("RGB", first.size, (n, 0, 0)) for n in range(100)]
    options = {"speed": 10} if picture_format == "AVIF" else {}
    data = encode_image(
        first, picture_format, save_all=True, append_images=frames, duration=20, **options
    )
    with quickly_and_in_little_memory():  # a hundred frames would be 19 MiB at least
        assert decode_photo(data, LIMITS).rgb.shape == (256, 256, 3)


def test_an_animation_that_claims_a_billion_frames_costs_nothing() -> None:
    frames = [Image.new("RGB", (64, 64), (n, 0, 0)) for n in range(3)]
    avif = encode_image(frames[0], "AVIF", save_all=True, append_images=frames[1:])
    at = avif.index(b"stsz") + 8
    assert avif[at : at + 8] == b"\0\0\0\0\0\0\0\3"
    claimed = avif[:at] + b"\0\0\0\1\x3b\x9a\xca\0" + avif[at + 8 :]
    with quickly_and_in_little_memory(), pytest.raises(InvalidPhotoError):
        decode_photo(claimed, LIMITS)
    apng = encode_image(frames[0], "PNG", save_all=True, append_images=frames[1:])
    at = apng.index(b"acTL")
    chunk = png_chunk(b"acTL", b"\x3b\x9a\xca\0\0\0\0\0")
    with quickly_and_in_little_memory():
        decode_photo(apng[: at - 4] + chunk + apng[at + 16 :], LIMITS)


def test_a_video_behind_a_jpeg_picture_is_not_taken_for_scans() -> None:
    """Phones append one to the photos that move."""
    data = encode(product_photo(), "JPEG") + b"\xff\xda\0\x08" * 1000
    assert decode_photo(data, LIMITS).rgb.shape == (90, 120, 3)
