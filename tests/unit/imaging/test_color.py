"""Colours: what a profile says is what comes out, and one that says nothing useful is named."""

import struct
import zlib
from collections.abc import Callable
from io import BytesIO

import cv2
import numpy as np
import numpy.typing as npt
import pillow_heif
import pytest
from PIL import Image, ImageCms

from imaging.decode.limits import PhotoLimits
from imaging.decode.photo import decode_photo
from imaging.errors import InvalidPhotoError
from tests.support.pictures import encode, encode_image, png_chunk, product_photo
from tests.support.profiles import (
    DISPLAY_P3,
    SRGB,
    Floats,
    in_srgb,
    in_srgb_curve,
    linear_grey_profile,
    red_cyan_profile,
    rgb_profile,
)

LIMITS = PhotoLimits()


def colours() -> npt.NDArray[np.uint8]:
    """Patches of 8x8 pixels, so that lossy formats keep their middle."""
    steps = np.array([30, 90, 150, 210], np.uint8)
    patches = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(8, 8, 3)
    return patches.repeat(8, axis=0).repeat(8, axis=1)


@pytest.mark.parametrize(
    ("picture_format", "options", "bound"),
    [
        ("PNG", {}, 2),
        ("TIFF", {}, 2),
        ("WEBP", {"lossless": True}, 2),
        ("AVIF", {"quality": 100, "subsampling": "4:4:4"}, 6),
        ("HEIF", {"quality": -1, "chroma": 444, "matrix_coefficients": 0}, 4),
        ("JPEG", {"quality": 100, "subsampling": "4:4:4"}, 4),
    ],
)
def test_a_wide_gamut_photo_comes_out_in_srgb(
    picture_format: str, options: dict[str, object], bound: int
) -> None:
    rgb = colours()
    data = encode(rgb, picture_format, icc_profile=rgb_profile(DISPLAY_P3), **options)
    photo = decode_photo(data, LIMITS)
    assert photo.notes == ()
    expected = in_srgb(rgb, DISPLAY_P3)
    middle = np.s_[3::8, 3::8]
    assert np.abs(photo.rgb[middle] - expected[middle]).max() <= bound
    # Taken for sRGB, the same file would be off by far more than that.
    assert np.abs(rgb[middle] - expected[middle]).max() > 25


def test_swapped_primaries_swap_the_channels() -> None:
    data = encode(colours(), icc_profile=rgb_profile(SRGB[:, [1, 2, 0]]))
    swapped = in_srgb(colours(), SRGB)[:, :, [2, 0, 1]]
    assert np.abs(decode_photo(data, LIMITS).rgb - swapped).max() <= 2


def test_a_profile_that_is_srgb_changes_not_one_bit() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)
    assert (decode_photo(encode(noise, icc_profile=profile), LIMITS).rgb == noise).all()


def test_alpha_stays_when_colours_are_converted() -> None:
    rgba = np.dstack([colours(), np.arange(64 * 64, dtype=np.uint16).reshape(64, 64) % 256])
    data = encode(rgba.astype(np.uint8), icc_profile=rgb_profile(DISPLAY_P3))
    photo = decode_photo(data, LIMITS)
    assert photo.alpha is not None
    assert (photo.alpha == rgba[:, :, 3]).all()
    assert np.abs(photo.rgb - in_srgb(colours(), DISPLAY_P3)).max() <= 2


def test_a_grey_profile_is_applied_and_an_rgb_one_on_grey_too() -> None:
    grey = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64).astype(np.uint8)
    linear = decode_photo(encode(grey, icc_profile=linear_grey_profile()), LIMITS)
    assert np.abs(linear.rgb[:, :, 0] - in_srgb_curve(grey / 255)).max() <= 2
    as_rgb = decode_photo(encode(grey, icc_profile=rgb_profile(SRGB)), LIMITS)
    assert np.abs(as_rgb.rgb - in_srgb(np.dstack([grey] * 3), SRGB)).max() <= 2


@pytest.mark.parametrize("picture_format", ["JPEG", "TIFF"])
def test_cmyk_goes_through_its_own_profile(picture_format: str) -> None:
    inks = np.zeros((64, 64, 4), np.uint8)
    inks[:, 32:, 0] = 255  # cyan, which this press prints red
    image = Image.fromarray(inks, "CMYK")
    data = encode_image(image, picture_format, icc_profile=red_cyan_profile())
    photo = decode_photo(data, LIMITS)
    assert photo.notes == ()
    assert (photo.rgb[:, :24] >= 253).all()
    red, green, blue = photo.rgb[32, 56].tolist()
    assert red > 150 > 2 * green
    assert red > 150 > 2 * blue


def without_adobe_marker(jpeg: bytes) -> bytes:
    at = jpeg.index(b"\xff\xee\0\x0eAdobe")
    return jpeg[:at] + jpeg[at + 16 :]


def test_cmyk_without_a_profile_is_read_as_adobe_writes_it_with_its_marker_or_without() -> None:
    inks = np.zeros((64, 64, 4), np.uint8)
    inks[:, 16:32, 0] = inks[:, 32:48, 1] = inks[:, 48:, 3] = 255
    adobe = encode_image(Image.fromarray(inks, "CMYK"), "JPEG", quality=95)
    plain = without_adobe_marker(adobe)
    for data in (adobe, plain):
        photo = decode_photo(data, LIMITS)
        assert photo.notes == (
            "the photo is CMYK without a usable profile: its colours are approximate",
        )
        expected = [(255, 255, 255), (0, 255, 255), (255, 0, 255), (0, 0, 0)]
        assert np.abs(photo.rgb[32, 8::16].astype(int) - expected).max() <= 12


def test_ycck_is_read_as_the_inks_that_it_stands_for() -> None:
    """Adobe's transform 2: the three inks as luma and chroma, black as it is, all inverted."""
    inks = np.zeros((64, 64, 3), np.uint8)
    inks[:, 16:32, 0] = inks[:, 32:48, 1] = 255
    black = np.zeros((64, 64), np.uint8)
    black[:, 48:] = 255
    luma_chroma = np.asarray(Image.fromarray(inks).convert("YCbCr"))
    # What Pillow will invert while it writes.
    stored = np.dstack([255 - luma_chroma, black])
    data = bytearray(encode_image(Image.fromarray(stored, "CMYK"), "JPEG", quality=95))
    data[data.index(b"\xff\xee\0\x0eAdobe") + 15] = 2
    photo = decode_photo(bytes(data), LIMITS)
    expected = [(255, 255, 255), (0, 255, 255), (255, 0, 255), (0, 0, 0)]
    assert np.abs(photo.rgb[32, 8::16].astype(int) - expected).max() <= 12


@pytest.mark.parametrize(
    ("profile", "reason"),
    [
        (b"no profile at all" * 20, "since it is broken"),
        (rgb_profile(DISPLAY_P3)[:200], "since it is broken"),
        (red_cyan_profile(), "it is for CMYK, but the photo is RGB"),
        (linear_grey_profile(), "it is for GRAY, but the photo is RGB"),
    ],
)
def test_a_broken_profile_is_taken_for_absent_and_said_so(profile: bytes, reason: str) -> None:
    photo = decode_photo(encode(product_photo(), icc_profile=profile), LIMITS)
    assert (photo.rgb == product_photo()).all()
    (note,) = photo.notes
    assert "profile was taken for absent" in note
    assert reason in note


def png_16(samples: npt.NDArray[np.uint16]) -> bytes:
    """Return a 16-bit PNG, of which Pillow only writes the grey kind."""
    order = {3: [2, 1, 0], 4: [2, 1, 0, 3]}[samples.shape[2]]
    return bytes(cv2.imencode(".png", samples[:, :, order])[1])


@pytest.mark.parametrize("channels", [3, 4])
def test_sixteen_bit_colours_and_alpha_are_scaled(channels: int) -> None:
    samples = np.linspace(0, 65535, 32 * 32 * channels).reshape(32, 32, channels).astype(np.uint16)
    photo = decode_photo(png_16(samples), LIMITS)
    assert np.abs(photo.rgb - samples[:, :, :3] / 257).max() <= 1
    if channels == 4:
        assert photo.alpha is not None
        assert np.abs(photo.alpha - samples[:, :, 3] / 257).max() <= 1


@pytest.mark.parametrize("picture_format", ["PNG", "TIFF"])
def test_sixteen_bit_grey_is_scaled(picture_format: str) -> None:
    grey = np.linspace(0, 65535, 64 * 64).reshape(64, 64).astype(np.uint16)
    photo = decode_photo(encode(grey, picture_format), LIMITS)
    assert np.abs(photo.rgb[:, :, 1] - grey / 257).max() <= 1


def test_ten_bit_heic_is_scaled() -> None:
    ramp = np.linspace(0, 65535, 64).astype("<u2")[None, :, None].repeat(64, 0).repeat(3, 2)
    buffer = BytesIO()
    heif = pillow_heif.from_bytes("RGB;16", (64, 64), ramp.tobytes())
    heif.save(buffer, quality=-1, chroma=444)
    assert pillow_heif.open_heif(buffer.getvalue(), convert_hdr_to_8bit=False).mode == "RGB;16"
    photo = decode_photo(buffer.getvalue(), LIMITS)
    assert np.abs(photo.rgb - ramp / 257).max() <= 4


def test_one_transparent_grey_value_of_sixteen_bits_becomes_alpha() -> None:
    grey = np.full((32, 32), 1000, np.uint16)
    grey[8:] = 40_000
    photo = decode_photo(encode(grey, transparency=1000), LIMITS)
    assert photo.alpha is not None
    assert (photo.alpha[:8] == 0).all()
    assert (photo.alpha[8:] == 255).all()


@pytest.mark.parametrize(("kind", "word"), [(np.float32, "floating-point"), (np.int32, "signed")])
def test_samples_of_no_known_range_are_refused(kind: type[np.generic], word: str) -> None:
    with pytest.raises(InvalidPhotoError, match=f"32-bit {word} grey.* range is not known"):
        decode_photo(encode(np.zeros((32, 32), kind), "TIFF"), LIMITS)


def with_codes(avif: bytes, primaries: int, transfer: int) -> bytes:
    """Return an AVIF file whose `colr` box says something else."""
    at = avif.index(b"colrnclx") + 8
    return avif[:at] + bytes((0, primaries, 0, transfer)) + avif[at + 4 :]


@pytest.mark.parametrize(("primaries", "transfer"), [(9, 16), (9, 18), (10, 13), (1, 9)])
def test_colours_by_code_points_that_are_not_followed_are_said_to_be_taken_for_srgb(
    primaries: int, transfer: int
) -> None:
    named = {"color_primaries": primaries, "transfer_characteristics": transfer}
    heic = encode(product_photo(), "HEIF", matrix_coefficients=6, full_range_flag=1, **named)
    avif = with_codes(encode(product_photo(), "AVIF"), primaries, transfer)
    for data in (heic, avif):
        (note,) = decode_photo(data, LIMITS).notes
        assert f"primaries {primaries} with transfer characteristics {transfer}" in note
    with_profile = encode(product_photo(), "HEIF", icc_profile=rgb_profile(DISPLAY_P3))
    assert decode_photo(with_profile, LIMITS).notes == ()


# sRGB's curve is within 0.02 of the profile's power of 2.2: a few levels.
@pytest.mark.parametrize("picture_format", ["HEIF", "AVIF"])
def test_display_p3_by_code_points_is_converted(picture_format: str) -> None:
    rgb = colours()
    if picture_format == "HEIF":
        data = encode(
            rgb, "HEIF", quality=-1, chroma=444, matrix_coefficients=0, full_range_flag=1,
            color_primaries=12, transfer_characteristics=13,
        )  # fmt: skip
    else:
        data = with_codes(encode(rgb, "AVIF", quality=100, subsampling="4:4:4"), 12, 13)
    photo = decode_photo(data, LIMITS)
    assert photo.notes == ()
    assert_converted(photo.rgb, rgb, by_profile(rgb, DISPLAY_P3), 8)


def by_profile(rgb: npt.NDArray[np.uint8], primaries: Floats) -> Floats:
    """Return what colours of those primaries and sRGB's curve are in sRGB, 0 to 255."""
    light = np.where(rgb <= 10, rgb / 255 / 12.92, ((rgb / 255 + 0.055) / 1.055) ** 2.4)
    return in_srgb_curve(light @ primaries.T @ np.linalg.inv(SRGB).T)


def assert_converted(
    found: npt.NDArray[np.uint8], before: npt.NDArray[np.uint8], expected: Floats, bound: float
) -> None:
    middle = np.s_[3::8, 3::8]
    assert np.abs(found[middle] - expected[middle]).max() <= bound
    # As it is, the file would be off by far more than that.
    assert np.abs(before[middle] - expected[middle]).max() > 2 * bound


def chromaticities(*points: tuple[float, float]) -> bytes:
    """Return a PNG's cHRM chunk: white, red, green, blue."""
    flat = [round(value * 100_000) for point in points for value in point]
    return png_chunk(b"cHRM", struct.pack(">8I", *flat))


D65 = (0.3127, 0.3290)
P3_POINTS = (D65, (0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
SRGB_POINTS = (D65, (0.64, 0.33), (0.30, 0.60), (0.15, 0.06))


def gamma_chunk(encoding: float) -> bytes:
    return png_chunk(b"gAMA", struct.pack(">I", round(encoding * 100_000)))


def png_of_colours(*chunks: bytes) -> bytes:
    data = encode(colours())
    return data[:33] + b"".join(chunks) + data[33:]


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        pytest.param(
            [gamma_chunk(1.0)], lambda rgb: in_srgb_curve(rgb / 255), id="linear",
        ),
        pytest.param(
            [gamma_chunk(1 / 1.8)], lambda rgb: in_srgb_curve((rgb / 255) ** 1.8), id="gamma-1.8",
        ),
        pytest.param(
            [gamma_chunk(1 / 2.2), chromaticities(*P3_POINTS)],
            lambda rgb: by_profile(rgb, DISPLAY_P3), id="primaries",
        ),
        pytest.param(
            [chromaticities(*P3_POINTS)],
            lambda rgb: by_profile(rgb, DISPLAY_P3), id="primaries-alone",
        ),
        pytest.param(
            [png_chunk(b"cICP", bytes((12, 13, 0, 1)))],
            lambda rgb: by_profile(rgb, DISPLAY_P3), id="cicp",
        ),
        pytest.param(
            [png_chunk(b"cICP", bytes((1, 8, 0, 1))), gamma_chunk(1 / 2.2)],
            lambda rgb: in_srgb_curve(rgb / 255), id="cicp-goes-before",
        ),
    ],
)  # fmt: skip
def test_what_a_png_says_of_its_colours_is_followed(
    chunks: list[bytes], expected: Callable[[npt.NDArray[np.uint8]], Floats]
) -> None:
    photo = decode_photo(png_of_colours(*chunks), LIMITS)
    assert photo.notes == ()
    assert_converted(photo.rgb, colours(), expected(colours()), 3)


@pytest.mark.parametrize(
    "chunks",
    [
        pytest.param([gamma_chunk(0.45455)], id="display-gamma"),
        pytest.param([gamma_chunk(0.45455), chromaticities(*SRGB_POINTS)], id="and-primaries"),
        pytest.param([png_chunk(b"sRGB", b"\0"), gamma_chunk(1.0)], id="srgb-goes-before"),
        pytest.param([png_chunk(b"cICP", bytes((1, 13, 0, 1))), gamma_chunk(1.0)], id="cicp"),
    ],
)
def test_a_png_that_says_that_it_is_srgb_changes_not_one_bit(chunks: list[bytes]) -> None:
    photo = decode_photo(png_of_colours(*chunks), LIMITS)
    assert photo.notes == ()
    assert (photo.rgb == colours()).all()


@pytest.mark.parametrize(
    ("chunk", "word"),
    [
        (gamma_chunk(0), "gamma is 0"),
        (gamma_chunk(40), "gamma of 0.025"),
        (chromaticities(D65, (0.3, 0.3), (0.3, 0.3), (0.3, 0.3)), "no triangle"),
        (chromaticities(D65, (0.64, 0.0), (0.3, 0.6), (0.15, 0.06)), "is no colour"),
        (png_chunk(b"cICP", bytes((9, 16, 0, 1))), "primaries 9 with transfer characteristics 16"),
        (png_chunk(b"cICP", bytes((1, 13, 0, 0))), "narrow range"),
        (b"\0\0\0\4gAMA\0\1\x86\xa0" + b"\0\0\0\0", "gAMA chunk is broken"),
        (png_chunk(b"iCCP", b"name\0\1" + zlib.compress(rgb_profile(SRGB))), "method is 1"),
        (png_chunk(b"iCCP", b"name\0\0rubbish"), "taken for absent"),
    ],
)
def test_what_a_png_says_wrongly_is_told(chunk: bytes, word: str) -> None:
    photo = decode_photo(png_of_colours(chunk), LIMITS)
    assert (photo.rgb == colours()).all()
    (note,) = photo.notes
    assert word in note


def test_a_grey_png_s_gamma_is_followed() -> None:
    grey = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64).astype(np.uint8)
    data = encode(grey)
    data = data[:33] + gamma_chunk(1.0) + data[33:]
    photo = decode_photo(data, LIMITS)
    assert np.abs(photo.rgb[:, :, 0] - in_srgb_curve(grey / 255)).max() <= 2


ADOBE_RGB = np.array(
    [[0.60974, 0.20528, 0.14919], [0.31111, 0.62567, 0.06322], [0.01947, 0.06087, 0.74457]]
)


def exif_of(color_space: int | None, index: str | None) -> Image.Exif:
    exif = Image.Exif()
    exif[0x8769] = ({0xA001: color_space} if color_space else {}) | (
        {0xA005: {1: index}} if index else {}
    )
    return exif


@pytest.mark.parametrize("picture_format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize(("color_space", "index"), [(0xFFFF, "R03"), (2, None), (None, "R03")])
def test_adobe_rgb_by_exif_alone_is_converted(
    picture_format: str, color_space: int | None, index: str | None
) -> None:
    options = {"quality": 100, "subsampling": "4:4:4"} if picture_format == "JPEG" else {}
    if picture_format == "WEBP":
        options = {"lossless": True}
    data = encode(colours(), picture_format, exif=exif_of(color_space, index), **options)
    photo = decode_photo(data, LIMITS)
    assert photo.notes == ()
    assert_converted(photo.rgb, colours(), in_srgb(colours(), ADOBE_RGB), 5)


@pytest.mark.parametrize(("color_space", "index"), [(1, "R98"), (0xFFFF, None), (0xFFFF, "R98")])
def test_exif_that_does_not_say_adobe_rgb_changes_nothing(
    color_space: int, index: str | None
) -> None:
    data = encode(colours(), exif=exif_of(color_space, index))
    assert (decode_photo(data, LIMITS).rgb == colours()).all()


def test_a_profile_goes_before_exif() -> None:
    data = encode(colours(), icc_profile=rgb_profile(DISPLAY_P3), exif=exif_of(0xFFFF, "R03"))
    photo = decode_photo(data, LIMITS)
    assert np.abs(photo.rgb - in_srgb(colours(), DISPLAY_P3)).max() <= 2
