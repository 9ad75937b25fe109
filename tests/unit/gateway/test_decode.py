import numpy as np
import pytest
from PIL import Image

from gateway.errors import InvalidPhotoError, PhotoLimitError
from gateway.pipeline.decode import PhotoLimits, decode_photo
from tests.support.pictures import claiming_png, encode, product_photo

LIMITS = PhotoLimits()


@pytest.mark.parametrize("picture_format", ["PNG", "JPEG", "WEBP"])
def test_decodes_every_accepted_format(picture_format: str) -> None:
    rgb = product_photo()
    photo = decode_photo(encode(rgb, picture_format, quality=95), LIMITS)
    assert photo.alpha is None
    assert photo.rgb.dtype == np.uint8
    assert np.abs(photo.rgb.astype(int) - rgb).mean() < 3


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turns_the_photo_upright(orientation: int) -> None:
    upright = Image.fromarray(product_photo(64, 32))
    # What a camera stores so that the viewer's turn by this orientation gives it back.
    stored = {
        1: upright,
        2: upright.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        3: upright.transpose(Image.Transpose.ROTATE_180),
        4: upright.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
        5: upright.transpose(Image.Transpose.TRANSPOSE),
        6: upright.transpose(Image.Transpose.ROTATE_90),
        7: upright.transpose(Image.Transpose.TRANSVERSE),
        8: upright.transpose(Image.Transpose.ROTATE_270),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    photo = decode_photo(encode(np.asarray(stored), "PNG", exif=exif), LIMITS)
    assert np.array_equal(photo.rgb, np.asarray(upright))


def test_keeps_a_transparent_photo_s_alpha() -> None:
    rgba = np.dstack([product_photo(), np.full((90, 120), 77, np.uint8)])
    photo = decode_photo(encode(rgba), LIMITS)
    assert photo.alpha is not None
    assert (photo.alpha == 77).all()


def test_scales_sixteen_bit_grey_instead_of_clipping_it() -> None:
    grey = np.linspace(0, 65535, 64 * 64).reshape(64, 64).astype(np.uint16)
    photo = decode_photo(encode(grey), LIMITS)
    assert np.array_equal(photo.rgb[:, :, 1], (grey >> 8).astype(np.uint8))


def test_reads_palette_and_grey_and_cmyk() -> None:
    image = Image.fromarray(product_photo())
    for mode, picture_format in (("P", "PNG"), ("L", "PNG"), ("CMYK", "JPEG"), ("1", "PNG")):
        photo = decode_photo(encode_image(image.convert(mode), picture_format), LIMITS)
        assert photo.rgb.shape == (90, 120, 3)


def encode_image(image: Image.Image, picture_format: str) -> bytes:
    from io import BytesIO  # noqa: PLC0415  only here

    buffer = BytesIO()
    image.save(buffer, picture_format)
    return buffer.getvalue()


def test_refuses_nothing_at_all() -> None:
    with pytest.raises(InvalidPhotoError, match="0 bytes"):
        decode_photo(b"", LIMITS)


@pytest.mark.parametrize(
    "data",
    [b"a text, no photo", b"\xff\xd8\xff\xe0" + bytes(100), b"GIF89a" + bytes(50), b"\x89PNG"],
)
def test_refuses_what_is_no_accepted_picture(data: bytes) -> None:
    with pytest.raises(InvalidPhotoError, match="JPEG, PNG and WebP"):
        decode_photo(data, LIMITS)


@pytest.mark.parametrize("picture_format", ["PNG", "JPEG", "WEBP"])
def test_refuses_a_truncated_file(picture_format: str) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (90, 120, 3), np.uint8)
    data = encode(noise, picture_format)
    with pytest.raises(InvalidPhotoError):
        decode_photo(data[: len(data) // 2], LIMITS)


def test_refuses_too_many_bytes_naming_limit_and_value() -> None:
    with pytest.raises(PhotoLimitError, match=r"5000 bytes; the limit is 1000") as caught:
        decode_photo(bytes(5000), PhotoLimits(max_bytes=1000))
    assert caught.value.figures == {"limit_bytes": "1000", "value_bytes": "5000"}


def test_refuses_too_many_pixels_by_the_header_alone() -> None:
    with pytest.raises(PhotoLimitError, match=r"10000000000 pixels; the limit is 64000000"):
        decode_photo(claiming_png(100_000, 100_000), LIMITS)


def test_refuses_a_photo_of_one_pixel() -> None:
    with pytest.raises(PhotoLimitError, match=r"1x1 pixels; each side must have at least 16"):
        decode_photo(encode(np.zeros((1, 1, 3), np.uint8)), LIMITS)
