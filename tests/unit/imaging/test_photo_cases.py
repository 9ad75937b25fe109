"""Photos that were reported: what each must give; their text and their orientation."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imaging.decode.limits import PhotoLimits
from imaging.decode.photo import decode_photo
from imaging.encode import PictureFormat, encode_picture
from tests.support.claims import png_with
from tests.support.pictures import decode, encode, png_chunk, product_photo
from tests.support.tiffs import RGB, Layout, write_tiff

LIMITS = PhotoLimits()
CASES = Path(__file__).parent / "cases"
# The upper left corner and the mean of the photo that all were made of.
CORNER = (193, 174, 144)
MEAN = 122.9

SAME = [
    *("rgb16-planar.tif", "rgbx8-unspecified-zero.tif", "upright-stale-xmp.avif"),
    *("upright-stale-xmp.jpeg", "exif-copyright-utf-8.jpg", "jpeg-no-eoi.jpg"),
    *("png-bad-crc-in-tEXt.png", "png-ztxt-2MiB.png"),
]


def case(name: str) -> bytes:
    return (CASES / name).read_bytes()


@pytest.mark.parametrize("name", SAME)
def test_shows_the_photo_that_it_was_made_of(name: str) -> None:
    photo = decode_photo(case(name), LIMITS)
    assert photo.rgb.shape == (270, 360, 3)
    assert photo.alpha is None
    assert np.abs(photo.rgb[0, 0].astype(int) - CORNER).max() <= 4
    assert abs(photo.rgb.mean() - MEAN) < 0.6


@pytest.mark.parametrize("name", ["adobergb-by-exif-R03.jpg", "png-gama-linear.png"])
def test_colours_are_converted(name: str) -> None:
    photo = decode_photo(case(name), LIMITS)
    assert photo.notes == ()
    raw = np.asarray(decode(case(name)).convert("RGB"), int)
    assert np.abs(photo.rgb - raw).mean() > 1.5
    if name.startswith("png"):
        assert np.abs(photo.rgb[0, 0].astype(int) - CORNER).max() <= 2


def test_white_is_zero_is_a_positive() -> None:
    photo = decode_photo(case("grey16-miniswhite-le.tif"), LIMITS)
    grey = decode_photo(case("rgb16-planar.tif"), LIMITS).rgb[:90, :120].mean()
    assert abs(photo.rgb[:90, :120].mean() - grey) < 12


def test_a_transparent_value_of_four_bits_is_transparent() -> None:
    photo = decode_photo(case("png4-grey-trns.png"), LIMITS)
    assert photo.alpha is not None
    assert 0.4 < (photo.alpha == 0).mean() < 0.6
    assert set(np.unique(photo.alpha)) == {0, 255}


XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-'
    b'syntax-ns#"><rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" '
    b'tiff:Orientation="1"/></rdf:RDF></x:xmpmeta>'
)


@pytest.mark.parametrize("exif_orientation", [None, 1])
@pytest.mark.parametrize("picture_format", ["JPEG", "PNG", "WEBP", "AVIF", "HEIF", "TIFF"])
def test_xmp_turns_no_photo(picture_format: str, exif_orientation: int | None) -> None:
    exif = Image.Exif()
    exif[0x010F] = "A maker"
    if exif_orientation:
        exif[0x0112] = exif_orientation
    if picture_format == "PNG":
        data = encode(product_photo(), exif=exif)
        text = XMP.replace(b'"1"/', b'"6"/')
        chunk = png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + text)
        assert decode_photo(data[:33] + chunk + data[33:], LIMITS).rgb.shape == (90, 120, 3)
        return
    if picture_format == "TIFF":
        image = Image.fromarray(product_photo())
        exif[700] = XMP
        data = encode(np.asarray(image), "TIFF", exif=exif)
    else:
        data = encode(product_photo(), picture_format, exif=exif, xmp=XMP)
    # Only now: encoders take it for the photo's own.
    changed = data.replace(b'tiff:Orientation="1"', b'tiff:Orientation="6"')
    assert changed != data
    assert decode_photo(changed, LIMITS).rgb.shape == (90, 120, 3)


@pytest.mark.parametrize("picture_format", ["AVIF", "HEIF"])
def test_in_avif_and_heic_the_container_s_rotation_counts_alone(picture_format: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = encode(product_photo(), picture_format, exif=exif)
    assert b"irot" in turned
    assert decode_photo(turned, LIMITS).rgb.shape == (120, 90, 3)
    # Encoders make EXIF's orientation the container's, so that it takes another tag's place here.
    beside = Image.Exif()
    beside[0x0106] = 6
    data = encode(product_photo(), picture_format, exif=beside)
    photometric, orientation = b"\x01\x06\0\3\0\0\0\1\0\6", b"\x01\x12\0\3\0\0\0\1\0\6"
    assert photometric in data
    assert b"irot" not in data
    upright = decode_photo(data.replace(photometric, orientation), LIMITS)
    assert upright.rgb.shape == (90, 120, 3)


TEXTS = {
    0x010E: "白いマグ".encode(),  # ImageDescription
    0x013B: "Jürgen Groß".encode(),  # Artist
    0x8298: "© 2024 Jürgen".encode("latin-1"),  # Copyright
    0x0131: "Программа".encode("koi8-r"),  # Software
}
WITHIN = {0xA433: "Ünïcode".encode(), 0x9286: b"ASCII\0\0\0" + "größer".encode()}


WHERE = b"ASCII\0\0\0" + "Zürich".encode()


class _Raw(str):
    """A text that is written as these bytes."""

    __slots__ = ()

    def encode(self, encoding: str = "", errors: str = "") -> bytes:
        del encoding, errors
        return super().encode("latin-1")


def with_texts(picture_format: str) -> bytes:
    if picture_format == "TIFF":
        more = tuple((tag, 2, text + b"\0") for tag, text in TEXTS.items())
        return write_tiff(product_photo(), Layout(RGB, more=more))
    exif = Image.Exif()
    for tag, text in TEXTS.items():
        exif[tag] = _Raw(text.decode("latin-1"))
    exif[0x8769] = {0xA433: _Raw(WITHIN[0xA433].decode("latin-1")), 0x9286: WITHIN[0x9286]}
    exif[0x8825] = {27: WHERE}
    return encode(product_photo(), picture_format, exif=exif.tobytes())


@pytest.mark.parametrize("photo_format", ["JPEG", "PNG", "WEBP", "HEIF", "TIFF"])
@pytest.mark.parametrize("picture_format", PictureFormat)
def test_kept_texts_keep_their_bytes(photo_format: str, picture_format: PictureFormat) -> None:
    data = with_texts(photo_format)
    texts = (*TEXTS.values(), *(() if photo_format == "TIFF" else (*WITHIN.values(), WHERE)))
    assert all(text in data for text in texts)
    photo = decode_photo(data, LIMITS, keep_metadata=True)
    picture = encode_picture(photo.rgb, picture_format, 90, metadata=photo.metadata)
    for text in texts:
        assert text in picture, text


def test_the_reported_copyright_is_kept() -> None:
    photo = decode_photo(case("exif-copyright-utf-8.jpg"), LIMITS, keep_metadata=True)
    picture = encode_picture(photo.rgb, PictureFormat.JPEG, 90, metadata=photo.metadata)
    assert "© 2024 Jürgen".encode() in picture


def test_exif_data_in_a_text_chunk_turn_the_photo() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    digits = exif.tobytes().hex().encode()
    text = b"\nexif\n%8d\n" % (len(digits) // 2) + digits + b"\n"
    data = png_with(png_chunk(b"tEXt", b"Raw profile type exif\0" + text))
    assert decode_photo(data, LIMITS).rgb.shape == (120, 90, 3)


@pytest.mark.parametrize("kind", [b"tEXt", b"zTXt", b"iTXt", b"tIME", b"pHYs", b"prVt"])
def test_a_wrong_checksum_of_what_nobody_needs_is_no_matter(kind: bytes) -> None:
    chunk = png_chunk(kind, b"Comment\0" + bytes(20))
    photo = decode_photo(png_with(chunk[:-1] + bytes((chunk[-1] ^ 1,))), LIMITS)
    assert (photo.rgb == product_photo()).all()
    assert photo.notes == ()


@pytest.mark.parametrize("kind", [b"gAMA", b"cHRM", b"iCCP", b"eXIf", b"tRNS", b"sRGB", b"cICP"])
def test_a_wrong_checksum_of_what_changes_the_picture_is_told(kind: bytes) -> None:
    chunk = png_chunk(kind, bytes(40))
    photo = decode_photo(png_with(chunk[:-1] + bytes((chunk[-1] ^ 1,))), LIMITS)
    assert (photo.rgb == product_photo()).all()
    (note,) = photo.notes
    assert f"{kind.decode()} chunk is broken" in note


def test_a_png_chunk_that_one_must_know_is_named() -> None:
    """Apple's tools write such files, whose pixels are not those of a PNG."""
    data = encode(product_photo())
    with pytest.raises(Exception, match="PNG file with the chunk 'CgBI'"):
        decode_photo(data[:8] + png_chunk(b"CgBI", bytes(4)) + data[8:], LIMITS)
