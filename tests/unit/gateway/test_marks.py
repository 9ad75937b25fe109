"""What a region and masks do to a matte, in exact values."""

import cv2
import numpy as np
import pytest

from gateway.rendering.decoding.mask_files import marked_in
from imaging.errors import InvalidOptionError, NoForegroundError
from imaging.matting.marked import cut_out_marked, own_marked_cut, to_marked_input
from imaging.matting.marks import Masks, marks_of, soften
from imaging.matting.region import Coordinate, Region, window_around
from imaging.types import Box, Photo, Pixels

WIDTH, HEIGHT = 400, 300


def box(left: int, top: int, right: int, bottom: int) -> Region:
    return Region(*map(Coordinate, (left, top, right, bottom)))


def mask(width: int, height: int, *marked: tuple[int, int, int, int]) -> Pixels:
    pixels = np.zeros((height, width), np.uint8)
    for each in marked:
        pixels[Box(*each).slices] = 255
    return pixels


def grey_photo() -> Photo:
    return Photo(np.full((HEIGHT, WIDTH, 3), 120, np.uint8))


def test_a_region_is_of_the_photo_in_pixels_or_in_percent() -> None:
    assert box(10, 20, 30, 40).box(WIDTH, HEIGHT) == (10, 20, 30, 40)
    assert Region().box(WIDTH, HEIGHT) == (0, 0, WIDTH, HEIGHT)
    thirds = Region(Coordinate(share=1 / 3), Coordinate(7), Coordinate(share=0.5), Coordinate(9))
    assert thirds.box(101, 10) == (34, 7, 51, 9)


@pytest.mark.parametrize(
    ("region", "why"),
    [
        (box(10, 10, 10, 40), "from 10,10 to 10,40 .* it is empty"),
        (box(30, 10, 10, 40), "from 30,10 to 10,40 .* it is empty"),
        (box(0, 0, 401, 300), "from 0,0 to 401,300 .* photo of 400x300 .* must lie within"),
        (box(0, 299, 400, 301), "must lie within"),
        (box(500, 0, 600, 300), "must lie within"),
        (Region(right=Coordinate(share=0.001)), "from 0,0 to 0,300 .* it is empty"),
    ],
)
def test_a_region_that_is_empty_or_not_in_the_photo_is_named(region: Region, why: str) -> None:
    with pytest.raises(InvalidOptionError, match=why) as refused:
        region.box(WIDTH, HEIGHT)
    assert refused.value.field == "region"
    assert refused.value.figures["photo_px"] == "400,300"


def test_the_network_sees_a_fifth_around_the_region_within_the_photo() -> None:
    assert window_around(Box(100, 100, 200, 300), 1000, 1000) == (80, 60, 220, 340)
    assert window_around(Box(0, 990, 10, 1000), 1000, 1000) == (0, 974, 26, 1000)


def test_the_model_s_input_is_the_window() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    marks = marks_of(WIDTH, HEIGHT, box(100, 100, 200, 200), Masks())
    assert marks.window == (80, 80, 220, 220)
    assert np.array_equal(to_marked_input(Photo(rgb), marks, 140, 140)[0], rgb[80:220, 80:220])


def test_a_mask_marks_by_its_alpha_or_else_by_its_grey() -> None:
    values = np.array([[0, 127, 128, 255]], np.uint8)
    marked = [[0, 0, 255, 255]]
    grey = np.repeat(values[:, :, None], 3, axis=2)
    assert marked_in(Photo(grey)).tolist() == marked
    assert marked_in(Photo(grey, np.full_like(values, 255))).tolist() == marked
    assert marked_in(Photo(255 - grey, values)).tolist() == marked


def test_a_mask_is_stretched_to_the_photo() -> None:
    marks = marks_of(WIDTH, HEIGHT, None, Masks(erase=mask(4, 3, (0, 0, 2, 3))))
    assert marks.allowed is not None
    assert np.array_equal(marks.allowed, mask(WIDTH, HEIGHT, (200, 0, WIDTH, HEIGHT)))
    assert (marks.window, marks.keep) == ((0, 0, WIDTH, HEIGHT), None)


def test_the_region_wins_over_erase_and_erase_over_keep() -> None:
    masks = Masks(
        mask(WIDTH, HEIGHT, (90, 110, 150, 150)), mask(WIDTH, HEIGHT, (140, 0, WIDTH, HEIGHT))
    )
    marks = marks_of(WIDTH, HEIGHT, box(100, 100, 200, 200), masks)
    # In the window's pixels, which begin at 80, 80.
    assert marks.allowed is not None
    assert marks.keep is not None
    assert np.array_equal(marks.allowed, mask(140, 140, (20, 20, 60, 120)))
    assert np.array_equal(marks.keep, mask(140, 140, (20, 30, 60, 70)))


def test_masks_that_mark_nothing_say_nothing() -> None:
    empty = mask(5, 5)
    assert not marks_of(WIDTH, HEIGHT, None, Masks(empty, empty)).says_something


@pytest.mark.parametrize(
    ("masks", "region", "field", "why"),
    [
        (
            Masks(mask(WIDTH, HEIGHT, (300, 0, 400, 300))),
            box(0, 0, 200, 300),
            "keep_mask",
            "marks nothing in the region from 0,0 to 200,300",
        ),
        (
            Masks(mask(WIDTH, HEIGHT, (0, 0, 20, 30)), mask(WIDTH, HEIGHT, (0, 0, 200, 300))),
            None,
            "keep_mask",
            "marks nothing that erase_mask, .* of its 600 pixels",
        ),
        (
            Masks(erase=mask(WIDTH, HEIGHT, (0, 0, 200, 300))),
            box(20, 30, 200, 300),
            "erase_mask",
            "leaves nothing of the region from 20,30 to 200,300",
        ),
        (Masks(erase=mask(1, 1, (0, 0, 1, 1))), None, "erase_mask", "of the photo from 0,0"),
    ],
)
def test_what_contradicts_itself_is_named(
    masks: Masks, region: Region | None, field: str, why: str
) -> None:
    with pytest.raises(InvalidOptionError, match=why) as refused:
        marks_of(WIDTH, HEIGHT, region, masks)
    assert refused.value.field == field


def test_a_border_in_plain_colour_is_soft_over_a_few_pixels_and_exact_beyond() -> None:
    wanted = mask(WIDTH, HEIGHT, (200, 0, WIDTH, HEIGHT))
    soft = soften(wanted, grey_photo().rgb)
    assert np.array_equal(soft[:, :192], wanted[:, :192])
    assert np.array_equal(soft[:, 208:], wanted[:, 208:])
    row = soft[150, 192:208].astype(int)
    assert (np.diff(row) >= 0).all()
    assert np.diff(row).max() < 60
    assert ((row > 5) & (row < 250)).sum() >= 6


def test_a_border_follows_the_photo_s_edge_beside_it() -> None:
    """It is sharp where the photo is, also where the mask was drawn a pixel beside."""
    rgb = grey_photo().rgb
    rgb[:, 201:] = (200, 30, 40)
    soft = soften(mask(WIDTH, HEIGHT, (200, 0, WIDTH, HEIGHT)), rgb)
    assert soft[:, 201:].min() == 255
    assert soft[:, :201].max() < 32


def test_a_product_outside_the_region_goes_and_the_one_inside_stays_to_the_bit() -> None:
    rgb = grey_photo().rgb
    rgb[100:200, 50:150] = rgb[100:200, 250:350] = (200, 30, 40)
    matte = np.where(rgb[:, :, 0] > 150, 255, 0).astype(np.uint8)
    photo = Photo(rgb)
    marks = marks_of(WIDTH, HEIGHT, box(30, 80, 170, 220), Masks())
    window = marks.window
    seen = to_marked_input(photo, marks, 64, 64)[0]
    small = cv2.resize(matte[window.slices], (64, 64), interpolation=cv2.INTER_AREA)
    cut = cut_out_marked(np.asarray(small, np.uint8), seen, photo, marks, cleans=True)
    assert cut.alpha.shape == (HEIGHT, WIDTH)
    assert not cut.alpha[:, 180:].any()
    assert cut.alpha[105:195, 55:145].min() == 255
    assert np.array_equal(cut.foreground[100:200, 250:350], rgb[100:200, 250:350])


def test_erase_takes_a_part_away_and_keep_brings_one_back() -> None:
    photo = grey_photo()
    matte = mask(WIDTH, HEIGHT, (50, 50, 200, 250))
    masks = Masks(
        mask(WIDTH, HEIGHT, (300, 100, 350, 150)), mask(WIDTH, HEIGHT, (0, 0, WIDTH, 100))
    )
    marks = marks_of(WIDTH, HEIGHT, None, masks)
    cut = cut_out_marked(matte, photo.rgb, photo, marks, cleans=True)
    assert not cut.alpha[:92].any()
    assert cut.alpha[108:250, 50:200].min() == 255
    assert cut.alpha[108:142, 308:342].min() == 255
    assert not cut.alpha[108:, 210:290].any()
    assert 0.9 < cut.confidence <= 1


def test_what_is_kept_is_a_product_though_the_model_finds_none() -> None:
    photo, nothing = grey_photo(), mask(64, 64)
    kept = marks_of(WIDTH, HEIGHT, None, Masks(keep=mask(WIDTH, HEIGHT, (100, 100, 200, 200))))
    seen = to_marked_input(photo, kept, 64, 64)[0]
    cut = cut_out_marked(nothing, seen, photo, kept, cleans=True)
    assert cut.alpha[108:192, 108:192].min() == 255
    with pytest.raises(NoForegroundError):
        cut_out_marked(nothing, seen, photo, marks_of(WIDTH, HEIGHT, None, Masks()), cleans=True)


def test_there_is_no_foreground_where_all_product_is_erased() -> None:
    photo, matte = grey_photo(), mask(WIDTH, HEIGHT, (50, 50, 200, 250))
    marks = marks_of(WIDTH, HEIGHT, None, Masks(erase=mask(WIDTH, HEIGHT, (0, 0, 220, HEIGHT))))
    with pytest.raises(NoForegroundError):
        cut_out_marked(matte, photo.rgb, photo, marks, cleans=True)


def test_nothing_comes_back_where_the_photo_is_transparent() -> None:
    alpha = mask(WIDTH, HEIGHT, (0, 0, 200, HEIGHT))
    photo = Photo(grey_photo().rgb, alpha)
    matte = mask(WIDTH, HEIGHT, (50, 50, 100, 250))
    marks = marks_of(WIDTH, HEIGHT, None, Masks(mask(WIDTH, HEIGHT, (150, 100, 250, 200))))
    cut = cut_out_marked(matte, photo.rgb, photo, marks, cleans=True)
    assert cut.alpha[108:192, 158:200].min() == 255
    assert not cut.alpha[:, 200:].any()


def test_a_cut_that_the_photo_brings_is_limited_too() -> None:
    alpha = mask(WIDTH, HEIGHT, (50, 50, 200, 250), (250, 50, 350, 250))
    photo = Photo(grey_photo().rgb, alpha)
    marks = marks_of(WIDTH, HEIGHT, box(0, 0, 225, HEIGHT), Masks())
    assert np.array_equal(
        own_marked_cut(photo, marks).alpha, mask(WIDTH, HEIGHT, (50, 50, 200, 250))
    )
    nothing = marks_of(WIDTH, HEIGHT, box(0, 0, 40, HEIGHT), Masks())
    with pytest.raises(NoForegroundError, match="region and erase mask leave nothing of it"):
        own_marked_cut(photo, nothing)
