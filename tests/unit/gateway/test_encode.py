"""Files out: pure white, sRGB, a resolution, and no word about the photographer unless asked."""

import struct
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageCms
from PIL.ExifTags import IFD

from gateway.errors import DeadlineError
from imaging.decode.limits import PhotoLimits
from imaging.decode.photo import decode_photo
from imaging.encode import DEFAULT_QUALITY, PictureFormat, encode_picture
from imaging.errors import InvalidOptionError, OverloadedError
from imaging.types import Pixels
from tests.support.pictures import decode, encode

EVERY = pytest.mark.parametrize("picture_format", PictureFormat)
ORIENTATION, MAKE, X_RESOLUTION, EXIF_IFD, GPS_IFD = 0x0112, 0x010F, 0x011A, 0x8769, 0x8825
DATE, WIDTH, COLOR_SPACE, MAKER_NOTE = 0x9003, 0xA002, 0xA001, 0x927C


def product_on_white(side: int = 320) -> Pixels:
    """Return a textured, saturated product with soft edges on pure white."""
    pixels = np.full((side, side, 3), 255, np.uint8)
    noise = np.random.default_rng(7).integers(0, 256, (10, 10, 3), np.uint8)
    inside = Image.fromarray(noise).resize((side // 2, side // 2), Image.Resampling.BICUBIC)
    pixels[side // 4 : side * 3 // 4, side // 4 : side * 3 // 4] = np.asarray(inside)
    return pixels


@EVERY
def test_flat_white_stays_exactly_white_at_the_default_quality(
    picture_format: PictureFormat,
) -> None:
    image = decode(encode_picture(product_on_white(), picture_format, DEFAULT_QUALITY))
    read = np.asarray(image.convert("RGB"))
    assert image.format == picture_format.value
    # An AVIF block has 64 pixels at most; the product begins at 80.
    outside = np.ones((320, 320), bool)
    outside[64:-64, 64:-64] = False
    assert (read[outside] == 255).all()


@EVERY
def test_an_opaque_picture_is_close_to_what_was_encoded(picture_format: PictureFormat) -> None:
    pixels = product_on_white()
    read = np.asarray(decode(encode_picture(pixels, picture_format, DEFAULT_QUALITY)))
    assert np.abs(read.astype(int) - pixels).mean() < 2


@pytest.mark.parametrize("picture_format", [f for f in PictureFormat if f.has_alpha])
def test_alpha_survives(picture_format: PictureFormat) -> None:
    alpha = np.zeros((320, 320), np.uint8)
    alpha[100:200] = 255
    alpha[200:] = 128
    pixels = np.dstack([product_on_white(), alpha])
    image = decode(encode_picture(pixels, picture_format, DEFAULT_QUALITY))
    assert image.mode == "RGBA"
    assert np.abs(np.asarray(image)[50::100, :, 3].astype(int) - alpha[50::100]).max() <= 1


@EVERY
def test_the_file_says_that_it_is_srgb(picture_format: PictureFormat) -> None:
    image = decode(encode_picture(product_on_white(), picture_format, DEFAULT_QUALITY))
    profile = ImageCms.ImageCmsProfile(BytesIO(image.info["icc_profile"]))
    assert "sRGB" in ImageCms.getProfileDescription(profile)
    assert len(image.info["icc_profile"]) < 1000


@EVERY
def test_the_same_picture_gives_the_same_bytes(picture_format: PictureFormat) -> None:
    pixels = product_on_white(64)
    first = encode_picture(pixels, picture_format, 90)
    assert first == encode_picture(pixels, picture_format, 90)
    profile = decode(first).info["icc_profile"]
    assert profile[24:36] == bytes.fromhex("07d0 0001 0001 0000 0000 0000")


def stated_dpi(image: Image.Image) -> float:
    return float(image.info["dpi"][0] if "dpi" in image.info else image.getexif()[X_RESOLUTION])


@EVERY
@pytest.mark.parametrize("resolution_dpi", [1, 72, 300, 2400])
def test_the_file_states_its_resolution(picture_format: PictureFormat, resolution_dpi: int) -> None:
    picture = encode_picture(
        product_on_white(64), picture_format, 90, resolution_dpi=resolution_dpi
    )
    # PNG counts whole pixels per metre.
    assert stated_dpi(decode(picture)) == pytest.approx(resolution_dpi, abs=0.02)


@EVERY
def test_without_a_request_there_is_no_exif_but_what_states_the_resolution(
    picture_format: PictureFormat,
) -> None:
    exif = decode(encode_picture(product_on_white(64), picture_format, 90)).getexif()
    only_there = picture_format in {PictureFormat.WEBP, PictureFormat.AVIF}
    assert set(exif) == ({X_RESOLUTION, X_RESOLUTION + 1, 0x0128} if only_there else set())
    assert not exif.get_ifd(EXIF_IFD)
    assert not exif.get_ifd(GPS_IFD)


def camera_s_photo(picture_format: str) -> bytes:
    """Return a photo with what a phone writes into it, thumbnail included."""
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    exif[MAKE] = "A maker"
    exif[EXIF_IFD] = {
        DATE: "2026:01:02 03:04:05",
        WIDTH: 4000,
        COLOR_SPACE: 65535,
        MAKER_NOTE: b"private" * 100,
    }
    exif[GPS_IFD] = {1: "N", 2: (52.0, 31.0, 0.0)}
    data = exif.tobytes()
    pixels = np.full((40, 60, 3), 200, np.uint8)
    return encode(pixels, picture_format, exif=data)


@EVERY
@pytest.mark.parametrize("photo_format", ["JPEG", "PNG", "WEBP", "AVIF", "HEIF", "TIFF"])
def test_exif_is_kept_on_request_with_its_layout_made_true(
    picture_format: PictureFormat, photo_format: str
) -> None:
    photo = decode_photo(camera_s_photo(photo_format), PhotoLimits(), keep_metadata=True)
    assert photo.notes == ()
    picture = encode_picture(
        photo.rgb, picture_format, 90, resolution_dpi=300, metadata=photo.metadata
    )
    image = decode(picture)
    exif = image.getexif()
    assert image.size == (40, 60)  # upright
    assert exif.get(ORIENTATION, 1) == 1
    assert (exif[MAKE], float(exif[X_RESOLUTION])) == ("A maker", 300)
    taken = exif.get_ifd(EXIF_IFD)
    assert taken[DATE] == "2026:01:02 03:04:05"
    assert (taken[WIDTH], taken[COLOR_SPACE]) == (40, 1)
    assert MAKER_NOTE not in taken
    assert exif.get_ifd(GPS_IFD)[2] == (52, 31, 0)
    assert b"private" not in picture


def exif_with_thumbnail(thumbnail: bytes) -> bytes:
    """Return an EXIF block of two directories: the maker, and the thumbnail's place."""
    maker = struct.pack("<HHI4s", MAKE, 2, 4, b"Ann")
    second_at, thumbnail_at = 8 + 2 + 12 + 4, 8 + 2 + 12 + 4 + 2 + 24 + 4
    place = struct.pack("<HHIIHHII", 0x0201, 4, 1, thumbnail_at, 0x0202, 4, 1, len(thumbnail))
    first = struct.pack("<H", 1) + maker + struct.pack("<I", second_at)
    second = struct.pack("<H", 2) + place + struct.pack("<I", 0)
    return b"Exif\0\0II*\0\x08\0\0\0" + first + second + thumbnail


def test_the_thumbnail_is_not_kept() -> None:
    thumbnail = encode(np.zeros((16, 16, 3), np.uint8), "JPEG")
    data = encode(np.zeros((40, 60, 3), np.uint8), "JPEG", exif=exif_with_thumbnail(thumbnail))
    assert decode(data).getexif().get_ifd(IFD.IFD1)[0x0202] == len(thumbnail)
    photo = decode_photo(data, PhotoLimits(), keep_metadata=True)
    picture = encode_picture(photo.rgb, PictureFormat.JPEG, 90, metadata=photo.metadata)
    exif = decode(picture).getexif()
    assert exif[MAKE] == "Ann"
    assert not exif.get_ifd(IFD.IFD1)
    assert picture.count(b"\xff\xd8\xff") == 1


def test_more_exif_than_jpeg_holds_is_refused_and_no_other_format_minds() -> None:
    exif = Image.Exif()
    exif[EXIF_IFD] = {0x9286: b"x" * 70_000}
    data = encode(np.zeros((40, 60, 3), np.uint8), "PNG", exif=exif)
    metadata = decode_photo(data, PhotoLimits(), keep_metadata=True).metadata
    pixels = product_on_white(64)
    with pytest.raises(InvalidOptionError, match="JPEG holds 65533") as caught:
        encode_picture(pixels, PictureFormat.JPEG, 90, metadata=metadata)
    assert caught.value.field == "keep_metadata"
    for picture_format in (PictureFormat.PNG, PictureFormat.WEBP, PictureFormat.AVIF):
        read = decode(encode_picture(pixels, picture_format, 90, metadata=metadata)).getexif()
        assert len(read.get_ifd(EXIF_IFD)[0x9286]) == 70_000


def test_a_picture_too_long_for_its_format_is_refused() -> None:
    with pytest.raises(InvalidOptionError, match=r"20000 pixels long; WEBP holds 16383"):
        encode_picture(np.zeros((1, 20_000, 3), np.uint8), PictureFormat.WEBP, 90)


def test_a_picture_too_long_for_avif_s_readers_is_refused() -> None:
    with pytest.raises(InvalidOptionError, match=r"40000 pixels long; AVIF holds 32768"):
        encode_picture(np.zeros((1, 40_000, 3), np.uint8), PictureFormat.AVIF, 90)


def test_a_textured_webp_beyond_its_first_partition_is_written() -> None:
    """Of 16 megapixels of noise, libwebp's quickest method makes more than the format can hold."""
    noise = np.random.default_rng(2).integers(0, 256, (4000, 4000, 3), np.uint8)
    file = encode_picture(noise, PictureFormat.WEBP, 90)
    assert decode(file).size == (4000, 4000)


def test_what_an_encoder_refuses_is_no_defect(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*_: object, **__: object) -> None:
        raise ValueError("encoding error 6")

    monkeypatch.setattr("PIL.Image.Image.save", refuses)
    with pytest.raises(InvalidOptionError, match=r"320x320 .* as WEBP at quality 90: encoding err"):
        encode_picture(product_on_white(), PictureFormat.WEBP, 90)


def test_an_encoder_without_memory_says_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    def swells(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr("PIL.Image.Image.save", swells)
    with pytest.raises(OverloadedError, match="memory"):
        encode_picture(product_on_white(), PictureFormat.AVIF, 90)


@pytest.mark.parametrize("at", [2, 3])
def test_writing_a_png_ends_between_two_parts_when_nobody_waits(at: int) -> None:
    noise = np.random.default_rng(2).integers(0, 256, (1000, 1000, 3), np.uint8)
    asked = 0

    def check() -> None:
        nonlocal asked
        asked += 1
        if asked == at:
            raise DeadlineError("the time is up")

    with pytest.raises(DeadlineError):
        encode_picture(noise, PictureFormat.PNG, 100, check=check)
    assert asked == at


@pytest.mark.parametrize(
    "shape", [(1, 1), (37, 23), (37, 23, 3), (1, 50, 3), (50, 1, 4), (37, 23, 4)]
)
def test_a_png_holds_every_pixel_whatever_its_shape(shape: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(3).integers(0, 256, shape, np.uint8)
    image = decode(encode_picture(pixels, PictureFormat.PNG, 90))
    assert image.mode == {2: "L", 3: "RGB", 4: "RGBA"}[2 if len(shape) == 2 else shape[2]]
    assert (np.asarray(image) == pixels).all()
