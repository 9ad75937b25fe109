"""Every way of laying a picture out in its file: read as it is meant, or refused by its name."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import groupby

import numpy as np
import numpy.typing as npt
import pytest

from imaging.decode.limits import PhotoLimits
from imaging.decode.photo import decode_photo
from imaging.errors import InvalidPhotoError
from imaging.types import Photo
from tests.support import bmps, pngs, tiff_matrix
from tests.support.magick import read_by_magick
from tests.support.tiffs import (
    BLACK_IS_ZERO,
    CMYK,
    FLOAT,
    JPEG,
    LAB,
    PALETTE,
    RGB,
    SIGNED,
    UNSIGNED,
    WHITE_IS_ZERO,
    Layout,
    write_tiff,
)

LIMITS = PhotoLimits()
Floats = npt.NDArray[np.float64]

TIFFS = list(tiff_matrix.layouts())
FAMILIES = {
    name: list(members)
    for name, members in groupby(TIFFS, lambda each: tiff_matrix.name_of(each).split("-")[0])
}


def seen(photo: Photo) -> Floats:
    """Return (H, W, 4) of 0 to 255, premultiplied."""
    alpha = photo.alpha
    if alpha is None:
        alpha = np.full(photo.rgb.shape[:2], 255, np.uint8)
    return np.dstack((photo.rgb * (alpha[..., None] / 255), alpha))


def bound_of(layout: Layout) -> float:
    lossy = layout.compression == JPEG or layout.subsampling != (1, 1)
    return 14 if lossy else 2.5


@pytest.mark.parametrize("family", FAMILIES)
def test_a_tiff_shows_what_was_written_or_is_refused_by_the_name_of_its_layout(
    family: str,
) -> None:
    for layout in FAMILIES[family]:
        data = write_tiff(tiff_matrix.samples_of(layout), layout)
        expected, name = tiff_matrix.shown_by(layout), tiff_matrix.name_of(layout)
        try:
            photo = decode_photo(data, LIMITS)
        except InvalidPhotoError as error:
            assert "the photo is a TIFF file of " in str(error), name
            assert f"{layout.bits}-bit" in str(error), name
            assert expected is None or not must_be_read(layout), (name, str(error))
            continue
        assert expected is not None, name
        assert np.abs(seen(photo) - expected).max() <= bound_of(layout), name


def must_be_read(layout: Layout) -> bool:
    """Tell whether a layout is one that programs write and that has one meaning alone."""
    if 1 in layout.extra and layout.photometric not in (RGB, BLACK_IS_ZERO):
        return False
    return layout.photometric in (WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, CMYK, PALETTE) or (
        not layout.extra and not layout.planar
    )


@pytest.mark.parametrize("order", ["II", "MM"])
@pytest.mark.parametrize(
    ("layout", "words"),
    [
        (Layout(LAB), "8-bit CIE L*a*b*, not compressed, .*; CIE L*a*b* is not read"),
        (Layout(RGB, 32, sample_format=FLOAT), "32-bit floating-point RGB.* range is not known"),
        (Layout(BLACK_IS_ZERO, 16, sample_format=SIGNED), "16-bit signed grey.* range is not kn"),
        (Layout(CMYK, 8, (1,)), "8-bit CMYK with premultiplied alpha"),
        (Layout(RGB, more=((259, 3, (34712,)),)), "compression by JPEG 2000 is not read"),
        (Layout(RGB, more=((259, 3, (6,)),)), "compression by old-style JPEG is not read"),
        (Layout(RGB, more=((259, 3, (64000,)),)), "compression by method 64000 is not read"),
        (Layout(RGB, more=((262, 3, (32803,)),)), "a camera's raw mosaic is not read"),
        (Layout(CMYK, more=((332, 3, (2,)),)), "inks other than cyan, magenta, yellow and black"),
        (Layout(RGB, more=((258, 3, (8, 8, 16)),)), "samples of different widths are not read"),
        (Layout(BLACK_IS_ZERO, more=((258, 3, (24,)),)), "samples of 24 bits are not read"),
    ],
)
def test_names_the_tiff_layouts_that_are_not_read(layout: Layout, words: str, order: str) -> None:
    layout = replace(layout, order=order)
    data = write_tiff(tiff_matrix.samples_of(layout), layout)
    with pytest.raises(InvalidPhotoError, match=words.replace("*", r"\*").replace(r".\*", ".*")):
        decode_photo(data, LIMITS)


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("order", ["II", "MM"])
def test_tags_of_a_tiff_are_kept_or_a_note_says_that_they_are_not(order: str, big: bool) -> None:  # noqa: FBT001
    for more in ((), ((315, 2, b"J\xc3\xbcrgen\0"),)):
        layout = Layout(RGB, order=order, big=big, more=more)
        photo = decode_photo(
            write_tiff(tiff_matrix.samples_of(layout), layout), LIMITS, keep_metadata=True
        )
        lost = bool(more) and big and order == "MM"
        assert photo.notes == (("the EXIF data cannot be read",) if lost else ())
        assert (b"J\xc3\xbcrgen" in photo.metadata) == (bool(more) and not lost)


@pytest.mark.parametrize("extra", [(0,), (2,)])
def test_a_fourth_sample_of_zeros_hides_the_picture_only_if_it_is_called_alpha(
    extra: tuple[int, ...],
) -> None:
    for names_extra in (False, True):
        layout = Layout(RGB, 8, extra, names_extra=names_extra)
        samples = tiff_matrix.samples_of(layout)
        samples[..., 3] = 0
        photo = decode_photo(write_tiff(samples, layout), LIMITS)
        assert (photo.alpha is not None) == (names_extra and extra == (2,))


@pytest.mark.parametrize("kind", list(pngs.kinds()), ids=lambda kind: kind.name)
def test_a_png_shows_what_was_written(kind: pngs.Kind) -> None:
    photo = decode_photo(pngs.write_png(kind), LIMITS)
    expected = pngs.shown_by(kind)
    assert np.abs(photo.rgb - expected[..., :3]).max() <= 1
    if (expected[..., 3] == 255).all():
        assert photo.alpha is None
    else:
        assert photo.alpha is not None
        assert np.abs(photo.alpha - expected[..., 3]).max() <= 1


@pytest.mark.parametrize("kind", list(bmps.kinds()), ids=lambda kind: kind.name)
def test_a_bmp_shows_what_was_written(kind: bmps.Kind) -> None:
    photo = decode_photo(bmps.write_bmp(kind), LIMITS)
    expected = bmps.shown_by(kind)
    # Five bits can be spread to eight by repeating them, or by their ratio: up to four levels.
    assert np.abs(photo.rgb - expected[..., :3]).max() <= 4
    if (expected[..., 3] == 255).all():
        assert photo.alpha is None
    else:
        assert photo.alpha is not None
        assert np.abs(photo.alpha - expected[..., 3]).max() <= 1


@pytest.mark.parametrize(
    ("kind", "change", "words"),
    [
        (bmps.Kind(bmps.INFO, 8), (30, 1), "8 bits a pixel; compression by run lengths of 8 bits"),
        (bmps.Kind(bmps.INFO, 4), (30, 2), "4 bits a pixel; compression by run lengths of 4 bits"),
        (bmps.Kind(bmps.INFO, 24), (30, 4), "24 bits a pixel; compression by JPEG is not read"),
        (bmps.Kind(bmps.INFO, 24), (30, 9), "compression by method 9 is not read"),
        (bmps.Kind(bmps.INFO, 24), (28, 2), "2 bits a pixel; 1, 4, 8, 16, 24 and 32 are read"),
        (bmps.Kind(bmps.INFO, 24), (14, 44), "a header of 44 bytes; it is not read"),
        (bmps.Kind(bmps.OS2, 24), (30, 4), "compression by run lengths of 24 bits is not read"),
        (bmps.Kind(bmps.V4, 32, bmps.MASKS, "bgra"), (54, 0xA5), "masks .*; they are not read"),
    ],
)
def test_names_the_kinds_of_bmp_that_are_not_read(
    kind: bmps.Kind, change: tuple[int, int], words: str
) -> None:
    data = bytearray(bmps.write_bmp(kind))
    data[change[0]] = change[1]
    with pytest.raises(InvalidPhotoError, match=f"the photo is a BMP file with .*{words}"):
        decode_photo(bytes(data), LIMITS)


def read_well_by_magick(layout: Layout) -> bool:
    """Leave out what ImageMagick 6 reads otherwise than it is written.

    It takes white for zero in 1, 8 and 16 bits alone, an unspecified sample for an alpha, a second
    sample of grey for nothing where it is in a plane of its own, and knows one extra sample.
    """
    if layout.sample_format != UNSIGNED or layout.photometric not in (
        WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, CMYK, PALETTE,
    ):  # fmt: skip
        return False
    if layout.photometric == WHITE_IS_ZERO and (layout.bits not in (1, 8, 16) or layout.extra):
        return False
    if layout.extra and (layout.extra not in ((1,), (2,)) or layout.bits == 12):
        return False
    return not (layout.extra and layout.photometric not in (RGB, CMYK))


def _one_of_each(layouts: Iterable[Layout]) -> list[Layout]:
    """Return layouts in which every pair of properties occurs that matters to a reader."""
    found: dict[tuple[object, ...], Layout] = {}
    for layout in layouts:
        found.setdefault(
            (layout.photometric, layout.bits, layout.extra, layout.planar, layout.order), layout
        )
        found.setdefault(
            (layout.photometric == RGB, layout.bits, layout.planar, bool(layout.tile_px),
             layout.compression, layout.predictor), layout,
        )  # fmt: skip
    return list(dict.fromkeys(found.values()))


def test_a_second_reader_sees_the_same_in_tiffs() -> None:
    chosen = _one_of_each(filter(read_well_by_magick, TIFFS))
    assert len(chosen) > 100
    compared = 0
    for layout in chosen:
        data = write_tiff(tiff_matrix.samples_of(layout), layout)
        name = tiff_matrix.name_of(layout)
        theirs = read_by_magick(data, "tiff", 45, 37)
        if theirs is None or (1 in layout.extra and layout.photometric == CMYK):
            continue
        compared += 1
        assert np.abs(seen(decode_photo(data, LIMITS)) - theirs).max() <= bound_of(layout) + 3, name
    assert compared > 100


def test_a_second_reader_sees_the_same_in_pngs() -> None:
    for kind in pngs.kinds():
        data = pngs.write_png(kind)
        theirs = read_by_magick(data, "png", 45, 37)
        assert theirs is not None
        assert np.abs(seen(decode_photo(data, LIMITS)) - theirs).max() <= 2, kind.name


def test_a_second_reader_sees_the_same_in_bmps() -> None:
    compared = 0
    for kind in bmps.kinds():
        # ImageMagick 6 knows no masks in a header of 52 bytes, no alpha behind one of 40, spreads
        # alpha of fewer than 8 bits wrongly, takes the palette of OS/2's second header from
        # elsewhere, and shows nothing of an alpha that is zero all over.
        if kind.header in (bmps.V2, bmps.OS2) or kind.clear or kind.form in _MISREAD_BMPS:
            continue
        data = bmps.write_bmp(kind)
        theirs = read_by_magick(data, "bmp", 45, 37)
        if theirs is None and kind.compression == bmps.MASKS_WITH_ALPHA:
            continue
        assert theirs is not None, kind.name
        compared += 1
        assert np.abs(seen(decode_photo(data, LIMITS)) - theirs).max() <= 5, kind.name
    assert compared > 60


_MISREAD_BMPS = ("4444", "1555", "2101010")
