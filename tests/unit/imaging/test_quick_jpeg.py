"""Usual JPEG files go the short way, to the very pixels that Pillow makes of them."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from gateway.rendering.decoding.kept_room import KeptRoom
from imaging.decode.decoder import is_previewed
from imaging.decode.formats import PhotoFormat
from imaging.decode.limits import PhotoLimits
from imaging.decode.photo import decode_photo, decode_preview
from imaging.decode.quick_jpeg import decode_quickly, new_room
from imaging.resample import resample
from tests.support.profiles import DISPLAY_P3, rgb_profile

LIMITS = PhotoLimits()
ORIENTATION = 0x0112


def a_jpeg(mode: str = "RGB", orientation: int = 1, **options: object) -> bytes:
    noise = np.random.default_rng(1).integers(0, 256, (9, 13, 3), np.uint8)
    image = Image.fromarray(noise).resize((97, 61), Image.Resampling.BICUBIC).convert(mode)
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    buffer = BytesIO()
    image.save(buffer, "JPEG", exif=exif.tobytes(), **options)
    return buffer.getvalue()


def by_pillow(data: bytes) -> Image.Image:
    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }
    image = Image.open(BytesIO(data))
    turn = turns.get(image.getexif()[ORIENTATION])
    return image if turn is None else image.transpose(turn)


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    "options", [{}, {"progressive": True}, {"subsampling": "4:4:4"}, {"subsampling": "4:2:2"}]
)
def test_the_short_way_leads_to_the_same_pixels(
    mode: str, orientation: int, options: dict[str, object]
) -> None:
    data = a_jpeg(mode, orientation, **options)
    quick = decode_quickly(JpegImageFile(BytesIO(data)), data, orientation, new_room)
    expected = by_pillow(data)
    assert quick is not None
    assert (quick == np.asarray(expected)).all()
    photo = decode_photo(data, LIMITS)
    assert (photo.rgb == np.asarray(expected.convert("RGB"))).all()
    assert photo.notes == ()


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_preview_is_the_photo_in_small(mode: str, orientation: int) -> None:
    data = a_jpeg(mode, orientation, quality=95, subsampling="4:4:4")
    photo = decode_photo(data, LIMITS)
    least_px = photo.width_px // 3, photo.height_px // 3
    preview = decode_preview(data, LIMITS, *least_px)
    assert preview is not None
    # Three eighths are the least that have a third.
    assert preview.rgb.shape == (-(-photo.height_px * 3 // 8), -(-photo.width_px * 3 // 8), 3)
    expected = resample(photo.rgb, preview.width_px, preview.height_px)
    # Its last row and column may stand for less than a pixel; turned wrongly it is 40 and more.
    assert np.abs(preview.rgb.astype(int) - expected).mean() < 12


@pytest.mark.parametrize(
    ("photo_format", "photo_px", "least_px", "is_worth_it"),
    [
        (PhotoFormat.JPEG, (3000, 2000), (640, 640), True),
        (PhotoFormat.JPEG, (2999, 2000), (640, 640), False),
        (PhotoFormat.PNG, (3000, 2000), (640, 640), False),
        (PhotoFormat.JPEG, (80_000, 800), (640, 640), False),
        (PhotoFormat.JPEG, (4000, 3000), (2048, 2048), False),
    ],
)
def test_a_preview_is_made_where_it_saves_more_than_it_costs(
    photo_format: PhotoFormat,
    photo_px: tuple[int, int],
    least_px: tuple[int, int],
    is_worth_it: bool,  # noqa: FBT001  expected
) -> None:
    assert is_previewed(photo_format, photo_px, least_px) is is_worth_it


def test_a_preview_no_smaller_than_the_photo_is_the_photo() -> None:
    data = a_jpeg()
    preview = decode_preview(data, LIMITS, 90, 10)
    assert preview is not None
    assert (preview.rgb == decode_photo(data, LIMITS).rgb).all()


def test_a_preview_has_the_colours_that_the_profile_says() -> None:
    data = a_jpeg(icc_profile=rgb_profile(DISPLAY_P3))
    photo, preview = decode_photo(data, LIMITS), decode_preview(data, LIMITS, 24, 15)
    assert preview is not None
    means = [each.rgb.mean(axis=(0, 1)) for each in (photo, preview)]
    assert np.abs(means[0] - means[1]).max() < 2
    assert np.abs(means[0] - decode_photo(a_jpeg(), LIMITS).rgb.mean(axis=(0, 1))).max() > 2


def test_what_the_library_warns_of_or_cannot_hold_takes_pillow() -> None:
    cmyk = a_jpeg("CMYK")
    cut = a_jpeg()[:-2]
    for data in (cmyk, cut):
        assert decode_quickly(JpegImageFile(BytesIO(data)), data, 1, new_room) is None
        assert decode_preview(data, LIMITS, 24, 15) is None
    assert any("CMYK" in note for note in decode_photo(cmyk, LIMITS).notes)
    assert any("end marker" in note for note in decode_photo(cut, LIMITS).notes)


def test_kept_room_is_used_again_and_shows_nothing_of_the_photo_before() -> None:
    room = KeptRoom()
    large = decode_photo(a_jpeg(), LIMITS, room=room)
    first = large.rgb.copy()
    turned = decode_photo(a_jpeg(orientation=6), LIMITS, room=room)
    assert np.shares_memory(large.rgb, turned.rgb)
    assert (turned.rgb == np.rot90(first, -1)).all()


def test_room_beyond_its_limit_is_not_kept() -> None:
    room = KeptRoom(most_bytes=100)
    assert np.shares_memory(room(100), room(60))
    assert not np.shares_memory(room(101), room(101))
