"""Colours: what a profile says is what comes out, and one that says nothing useful is named."""

from io import BytesIO

import cv2
import numpy as np
import numpy.typing as npt
import pillow_heif
import pytest
from PIL import Image, ImageCms

from gateway.errors import InvalidPhotoError
from gateway.pipeline.decode import decode_photo
from gateway.pipeline.limits import PhotoLimits
from tests.support.pictures import encode, encode_image, product_photo
from tests.support.profiles import (
    DISPLAY_P3,
    SRGB,
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


def test_cmyk_without_a_profile_is_plausible_whichever_way_its_inks_are_stored() -> None:
    inks = np.zeros((64, 64, 4), np.uint8)
    inks[:, 16:32, 0] = inks[:, 32:48, 1] = inks[:, 48:, 3] = 255
    adobe = encode_image(Image.fromarray(inks, "CMYK"), "JPEG", quality=95)
    plain = without_adobe_marker(encode_image(Image.fromarray(255 - inks, "CMYK"), "JPEG"))
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
        (b"no profile at all" * 20, "cannot open profile"),
        (rgb_profile(DISPLAY_P3)[:200], "cannot open profile"),
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


def test_samples_of_no_known_range_are_refused() -> None:
    for kind in (np.float32, np.int32):
        with pytest.raises(InvalidPhotoError, match="sample type"):
            decode_photo(encode(np.zeros((32, 32), kind), "TIFF"), LIMITS)


@pytest.mark.parametrize(("primaries", "transfer"), [(12, 13), (9, 16)])
def test_colours_that_only_code_points_name_are_said_to_be_taken_for_srgb(
    primaries: int, transfer: int
) -> None:
    """Display P3 and an HDR picture, both without an ICC profile."""
    named = {"color_primaries": primaries, "transfer_characteristics": transfer}
    heic = encode(product_photo(), "HEIF", matrix_coefficients=6, full_range_flag=1, **named)
    avif = encode(product_photo(), "AVIF")
    at = avif.index(b"colrnclx") + 8
    avif = avif[:at] + bytes((0, primaries, 0, transfer)) + avif[at + 4 :]
    for data in (heic, avif):
        (note,) = decode_photo(data, LIMITS).notes
        assert f"primaries {primaries} with transfer characteristics {transfer}" in note
    with_profile = encode(product_photo(), "HEIF", icc_profile=rgb_profile(DISPLAY_P3))
    assert decode_photo(with_profile, LIMITS).notes == ()
