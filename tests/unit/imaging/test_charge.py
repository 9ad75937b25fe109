"""What a render counts for is never less than what it comes to hold."""

from hypothesis import given, settings
from hypothesis import strategies as st

from imaging.decode.pixels_held import MOST_CHARGED, charged_pixels
from imaging.encode import PictureFormat
from imaging.errors import ReasonedError
from imaging.framing.frame import Frame, FrameLimits, Length, Margins, place_in_frame
from imaging.types import Box

LIMITS = FrameLimits(10_000, 64_000_000)


NOTHING = (0, 0)


def test_photo_background_and_picture_count() -> None:
    one = (40, 30)
    assert charged_pixels(one, NOTHING, None, PictureFormat.JPEG) == 2400
    assert charged_pixels(one, (10, 10), None, PictureFormat.PNG) == 2500
    assert charged_pixels(one, NOTHING, None, PictureFormat.AVIF) == 3600
    assert MOST_CHARGED == 4


def test_masks_count_by_a_quarter_where_that_is_more_than_the_picture() -> None:
    """They are gone before the picture is painted."""
    one = (40, 30)
    assert charged_pixels(one, NOTHING, None, PictureFormat.JPEG, 4 * 1200) == 2400
    assert charged_pixels(one, NOTHING, None, PictureFormat.JPEG, 4 * 1200 + 1) == 2401
    tiny = Frame(LIMITS, 16, 16)
    assert charged_pixels(one, NOTHING, tiny, PictureFormat.JPEG, 2 * 1200) == 1200 + 600
    assert charged_pixels(one, NOTHING, tiny, PictureFormat.JPEG, 800, is_marked=True) == 2000


def test_a_frame_of_its_own_size_counts_as_it_is() -> None:
    frame = Frame(LIMITS, 200, 100)
    assert charged_pixels((40, 30), NOTHING, frame, PictureFormat.JPEG) == 1200 + 20_000


def test_a_photo_that_lies_on_its_side_counts_as_it_will_stand() -> None:
    """With one side given the other follows from the photo's shape once it is upright."""
    frame = Frame(LIMITS, width_px=100)
    assert charged_pixels((400, 100), NOTHING, frame, PictureFormat.JPEG) == 40_000 + 100 * 400


SIDES = st.sampled_from([0, 0, 16, 50, 300])
LENGTHS = st.builds(Length, st.floats(0, 5), st.integers(0, 200))
FRAMES = st.builds(
    Frame,
    limits=st.just(LIMITS),
    width_px=SIDES,
    height_px=SIDES,
    aspect_ratio=st.one_of(st.none(), st.floats(0.1, 10)),
    crop=st.booleans(),
    margins=st.one_of(st.none(), st.builds(Margins, LENGTHS, LENGTHS, LENGTHS, LENGTHS)),
    scale=st.one_of(st.none(), st.floats(0.05, 1)),
    max_upscale=st.floats(1, 8),
    shrinks=st.booleans(),
)


@settings(max_examples=300, deadline=None)
@given(
    frame=FRAMES,
    size=st.tuples(st.integers(16, 120), st.integers(16, 120)),
    corners=st.tuples(*[st.floats(0, 1)] * 4),
)
def test_no_frame_is_larger_than_what_was_counted(
    frame: Frame, size: tuple[int, int], corners: tuple[float, float, float, float]
) -> None:
    width_px, height_px = size
    left, right = sorted(round(share * width_px) for share in corners[:2])
    top, bottom = sorted(round(share * height_px) for share in corners[2:])
    product = Box(
        min(left, width_px - 1), min(top, height_px - 1), max(right, left + 1), max(bottom, top + 1)
    )
    product = Box(
        product.left, product.top, min(product.right, width_px), min(product.bottom, height_px)
    )
    try:
        placement = place_in_frame(frame, width_px, height_px, product, product)
    except ReasonedError:
        return
    counted = charged_pixels(size, NOTHING, frame, PictureFormat.JPEG)
    # Each side may be rounded up.
    slack = placement.width_px + placement.height_px + 32
    assert placement.width_px * placement.height_px <= counted - width_px * height_px + slack
