"""Decoding: every format in, upright, first picture only, and nothing that misleads."""

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from imaging.decode.formats import PhotoFormat
from imaging.decode.limits import PhotoLimits
from imaging.decode.metadata import MAX_EXIF_BYTES
from imaging.decode.photo import decode_photo
from imaging.errors import InvalidPhotoError
from imaging.types import Pixels
from tests.support.claims import BYTES, claiming_tiff
from tests.support.pictures import decode, encode, encode_image, product_photo

LIMITS = PhotoLimits()

ENCODERS: dict[PhotoFormat, Callable[[Pixels], bytes]] = {
    PhotoFormat.JPEG: lambda rgb: encode(rgb, "JPEG", quality=95),
    PhotoFormat.PNG: encode,
    PhotoFormat.WEBP: lambda rgb: encode(rgb, "WEBP", quality=95),
    PhotoFormat.AVIF: lambda rgb: encode(rgb, "AVIF", quality=90),
    PhotoFormat.HEIF: lambda rgb: encode(rgb, "HEIF", quality=90),
    PhotoFormat.TIFF: lambda rgb: encode(rgb, "TIFF", compression="tiff_lzw"),
    PhotoFormat.BMP: lambda rgb: encode(rgb, "BMP"),
    PhotoFormat.GIF: lambda rgb: encode(rgb, "GIF"),
}


@pytest.mark.parametrize("photo_format", PhotoFormat)
def test_decodes_every_accepted_format(photo_format: PhotoFormat) -> None:
    rgb = product_photo()
    photo = decode_photo(ENCODERS[photo_format](rgb), LIMITS)
    assert photo.alpha is None
    assert photo.notes == ()
    assert photo.rgb.dtype == np.uint8
    assert np.abs(photo.rgb.astype(int) - rgb).mean() < 3


def test_opening_heic_registers_nothing_for_the_whole_process() -> None:
    decode_photo(ENCODERS[PhotoFormat.HEIF](product_photo()), LIMITS)
    Image.init()
    assert "HEIF" not in Image.OPEN


@pytest.mark.parametrize(
    ("picture_format", "options"),
    [
        ("JPEG", {"progressive": True, "quality": 95}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_adobe_deflate"}),
        ("TIFF", {"compression": "jpeg", "quality": 95}),
        ("TIFF", {"big_tiff": True}),
        ("PNG", {"interlace": 1}),
        ("WEBP", {"lossless": True}),
    ],
)
def test_decodes_the_ways_that_a_format_has(
    picture_format: str, options: dict[str, object]
) -> None:
    photo = decode_photo(encode(product_photo(), picture_format, **options), LIMITS)
    assert np.abs(photo.rgb.astype(int) - product_photo()).mean() < 3


@pytest.mark.parametrize(
    ("mode", "picture_format"),
    [
        *(("L", name) for name in ("JPEG", "PNG", "TIFF", "BMP", "GIF", "AVIF", "HEIF", "WEBP")),
        *(("1", name) for name in ("PNG", "TIFF", "BMP", "GIF")),
        *(("P", name) for name in ("PNG", "TIFF", "BMP", "GIF")),
    ],
)
def test_decodes_grey_black_and_white_and_palettes(mode: str, picture_format: str) -> None:
    image = Image.fromarray(product_photo()).convert(mode)
    photo = decode_photo(encode_image(image, picture_format), LIMITS)
    expected = np.asarray(image.convert("RGB"), dtype=int)
    assert np.abs(photo.rgb - expected).mean() < 3


def stored(upright: Image.Image, orientation: int) -> Image.Image:
    """Return what a camera stores so that the viewer's turn by this orientation undoes it."""
    turn = Image.Transpose
    turns = {
        2: turn.FLIP_LEFT_RIGHT,
        3: turn.ROTATE_180,
        4: turn.FLIP_TOP_BOTTOM,
        5: turn.TRANSPOSE,
        6: turn.ROTATE_90,
        7: turn.TRANSVERSE,
        8: turn.ROTATE_270,
    }
    return upright.transpose(turns[orientation]) if orientation in turns else upright


def asymmetric() -> Image.Image:
    """A picture that looks different whichever way it is turned."""
    rgb = product_photo(64, 32)
    rgb[:8, 48:] = (0, 0, 255)
    return Image.fromarray(rgb)


def oriented(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


@pytest.mark.parametrize("picture_format", ["JPEG", "PNG", "TIFF", "WEBP", "AVIF", "HEIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_turns_the_photo_upright_once(orientation: int, picture_format: str) -> None:
    upright = asymmetric()
    data = encode_image(stored(upright, orientation), picture_format, exif=oriented(orientation))
    photo = decode_photo(data, LIMITS)
    assert photo.rgb.shape == (32, 64, 3)
    assert np.abs(photo.rgb - np.asarray(upright, dtype=int)).mean() < 8


def test_a_compressed_tiff_is_turned_once_too() -> None:
    data = encode_image(
        stored(asymmetric(), 6), "TIFF", exif=oriented(6), compression="tiff_deflate"
    )
    assert (decode_photo(data, LIMITS).rgb == np.asarray(asymmetric())).all()


def test_a_heic_whose_exif_contradicts_its_own_rotation_follows_its_own() -> None:
    """The format's rotation is all that counts there; phones write the EXIF one beside it."""
    data = encode_image(stored(asymmetric(), 6), "HEIF", exif=oriented(6))
    at = data.index(b"Exif\0\0")
    assert b"irot" in data
    changed = data[:at] + data[at:].replace(
        b"\x01\x12\0\3\0\0\0\1\0\6", b"\x01\x12\0\3\0\0\0\1\0\3"
    )
    assert np.abs(decode_photo(changed, LIMITS).rgb - np.asarray(asymmetric(), int)).mean() < 8


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0rubbish", b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + bytes(40)]
)
@pytest.mark.filterwarnings("ignore:::PIL")
def test_unreadable_exif_stops_no_photo(exif: bytes) -> None:
    photo = decode_photo(encode(product_photo(), exif=exif), LIMITS)
    assert (photo.rgb == product_photo()).all()


def test_exif_that_cannot_be_read_is_named() -> None:
    photo = decode_photo(encode(product_photo(), exif=b"Exif\0\0rubbish"), LIMITS)
    (note,) = photo.notes
    assert "the EXIF data cannot be read, so the photo was not turned" in note


def test_exif_of_absurd_size_is_not_looked_into() -> None:
    exif = oriented(6).tobytes() + bytes(MAX_EXIF_BYTES)
    photo = decode_photo(encode(product_photo(), exif=exif), LIMITS)
    assert photo.rgb.shape == product_photo().shape
    (note,) = photo.notes
    assert f"the limit is {MAX_EXIF_BYTES}" in note


def test_an_oddity_that_pillow_warns_of_is_no_error() -> None:
    """Tags that lie beyond their end: the service logs the warning and goes on."""
    exif = b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + bytes(40)
    with pytest.warns(UserWarning, match="Corrupt EXIF data"):
        photo = decode_photo(encode(product_photo(), exif=exif), LIMITS)
    assert (photo.rgb == product_photo()).all()


@pytest.mark.parametrize("picture_format", ["PNG", "WEBP", "TIFF", "AVIF", "HEIF", "GIF"])
def test_keeps_a_transparent_photo_s_alpha(picture_format: str) -> None:
    rgba = np.dstack([product_photo(), np.full((90, 120), 255, np.uint8)])
    rgba[:, :40, 3] = 0
    image = Image.fromarray(rgba)
    if picture_format != "GIF":  # whose alpha is all or nothing
        rgba[:, 80:, 3] = 77
        image = Image.fromarray(rgba)
    photo = decode_photo(encode_image(image, picture_format), LIMITS)
    assert photo.alpha is not None
    assert np.abs(photo.alpha[:, ::20].astype(int) - rgba[:, ::20, 3]).max() <= 2


def test_a_palette_with_transparent_entries_has_alpha() -> None:
    image = Image.fromarray((np.arange(64 * 64) % 4).astype(np.uint8).reshape(64, 64), "P")
    image.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255])
    photo = decode_photo(encode_image(image, "PNG", transparency=bytes((0, 85, 170, 255))), LIMITS)
    assert photo.alpha is not None
    assert photo.alpha[0, :4].tolist() == [0, 85, 170, 255]
    assert photo.rgb[0, 1].tolist() == [255, 0, 0]


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_one_transparent_colour_becomes_alpha(mode: str) -> None:
    image = Image.fromarray(product_photo()).convert(mode)
    key = 255 if mode == "L" else (255, 255, 255)
    photo = decode_photo(encode_image(image, "PNG", transparency=key), LIMITS)
    assert photo.alpha is not None
    assert photo.alpha[0, 0] == 0
    assert photo.alpha[45, 40] == 255


@pytest.mark.parametrize("picture_format", ["GIF", "PNG", "WEBP", "AVIF", "TIFF", "HEIF"])
def test_of_several_pictures_the_first_is_taken(picture_format: str) -> None:
    first = Image.fromarray(product_photo())
    others = [Image.new("RGB", first.size, (0, 0, 40 * n)) for n in range(1, 6)]
    data = encode_image(first, picture_format, save_all=True, append_images=others)
    photo = decode_photo(data, LIMITS)
    assert np.abs(photo.rgb.astype(int) - product_photo()).mean() < 4


def test_of_a_multi_picture_jpeg_the_first_is_taken() -> None:
    first = Image.fromarray(product_photo())
    data = encode_image(first, "MPO", save_all=True, append_images=[Image.new("RGB", (40, 40))])
    assert decode(data).format == "MPO"
    photo = decode_photo(data, LIMITS)
    assert np.abs(photo.rgb.astype(int) - product_photo()).mean() < 4


def test_refuses_nothing_at_all() -> None:
    with pytest.raises(InvalidPhotoError, match="0 bytes"):
        decode_photo(b"", LIMITS)


@pytest.mark.parametrize(
    "data",
    [
        b"a text, no photo",
        b"\xff\xd8\xff\xe0" + bytes(100),
        b"GIF89a" + bytes(50),
        b"\x89PNG",
        b"\x89PNG\r\n\x1a\n",
        b"II*\0\x08\0\0\0" + bytes(50),
        b"BM" + bytes(50),
        b"RIFF\x20\0\0\0WEBPVP8 " + bytes(30),
        b"\0\0\0\x10ftypheic" + bytes(50),
        b"\0\0\0\x10ftypavif" + bytes(50),
        b"\0\0\0\x10ftypisom" + bytes(50),
        b"%PDF-1.7",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    ],
)
@pytest.mark.filterwarnings("ignore:::PIL")
def test_refuses_what_is_no_accepted_picture(data: bytes) -> None:
    with pytest.raises(InvalidPhotoError):
        decode_photo(data, LIMITS)


def test_says_which_formats_are_accepted() -> None:
    with pytest.raises(InvalidPhotoError, match="JPEG, PNG, WebP, AVIF, HEIC, TIFF, BMP and GIF"):
        decode_photo(b"a text, no photo", LIMITS)


def test_refuses_a_raw_file_s_preview_in_place_of_its_picture() -> None:
    data = claiming_tiff(20, 50, (254, 4, 1, 1))
    with pytest.raises(InvalidPhotoError, match="preview"):
        decode_photo(data, LIMITS)


def test_refuses_run_length_encoded_bmp() -> None:
    data = bytearray(encode_image(Image.fromarray(product_photo()).convert("P"), "BMP"))
    data[30] = 1
    with pytest.raises(InvalidPhotoError, match="compression by run lengths of 8 bits is not read"):
        decode_photo(bytes(data), LIMITS)


def test_keeps_exif_only_on_request() -> None:
    exif = oriented(6)
    exif[0x010F] = "A maker"
    data = encode(product_photo(), exif=exif)
    assert decode_photo(data, LIMITS).metadata == b""
    kept = Image.Exif()
    kept.load(decode_photo(data, LIMITS, keep_metadata=True).metadata)
    assert dict(kept) == {0x010F: "A maker"}


def test_how_a_tiff_file_is_laid_out_is_not_taken_for_metadata() -> None:
    data = claiming_tiff(20, 50, (700, BYTES, 100, 140))
    assert decode_photo(data, LIMITS, keep_metadata=True).metadata == b""
