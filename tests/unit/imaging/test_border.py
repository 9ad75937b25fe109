"""The border is clear of haze, and nothing else changes."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from imaging.compose.border import clear_border
from imaging.types import Box, Cut, Sides

NONE = Sides(left=False, top=False, right=False, bottom=False)


def hazy(width: int, height: int, product: Box) -> Cut:
    alpha = np.full((height, width), 100, np.uint8)
    alpha[product.slices] = 255
    return Cut(np.zeros((height, width, 3), np.uint8), alpha, 1.0)


@given(
    width=st.integers(1, 300),
    height=st.integers(1, 300),
    edges=st.tuples(*[st.floats(0, 1)] * 4),
    sides=st.builds(Sides, *[st.booleans()] * 4),
)
@settings(deadline=None)
def test_the_border_is_clear_but_where_the_product_is(
    width: int, height: int, edges: tuple[float, float, float, float], sides: Sides
) -> None:
    left, right = sorted(int(edge * (width - 1)) for edge in edges[:2])
    top, bottom = sorted(int(edge * (height - 1)) for edge in edges[2:])
    product = Box(left, top, right + 1, bottom + 1)
    placed = hazy(width, height, product)
    before = placed.alpha.copy()
    cleared = clear_border(placed, product, sides).alpha
    assert (placed.alpha == before).all()
    assert (cleared[product.slices] == 255).all()
    assert (cleared <= before).all()
    if not sides.top and product.top > 0:
        assert not cleared[: min(product.top, 8)].any()
    if not sides.bottom and product.bottom < height:
        assert not cleared[max(product.bottom, height - 8) :].any()
    if not sides.left and product.left > 0:
        assert not cleared[:, : min(product.left, 8)].any()
    if not sides.right and product.right < width:
        assert not cleared[:, max(product.right, width - 8) :].any()


def test_the_haze_fades_out_towards_the_border() -> None:
    product = Box(400, 400, 600, 600)
    cleared = clear_border(hazy(1000, 1000, product), product, NONE).alpha
    row = cleared[500, :40].astype(int)
    assert (np.diff(row) >= 0).all()
    assert (row[0], row[20], row[39]) == (0, 100, 100)


def test_a_clear_border_costs_no_copy() -> None:
    product = Box(40, 40, 60, 60)
    placed = hazy(100, 100, product)
    placed.alpha[placed.alpha < 255] = 0
    assert clear_border(placed, product, NONE) is placed


def test_sides_at_which_the_product_goes_on_stay_as_they_are() -> None:
    product = Box(0, 40, 60, 60)
    sides = NONE._replace(left=True)
    cleared = clear_border(hazy(100, 100, product), product, sides).alpha
    assert (cleared[45:55, 0] == 255).all()
    assert (cleared[20:30, 0] == 100).all()
    assert not cleared[:, -1].any()
